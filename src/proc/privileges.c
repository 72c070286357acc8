/* Which user the role processes run as, and giving up every right to become another. */
#include "proc/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

static int find_group(const char *group, gid_t *out)
{
    struct group *found = getgrnam(group);
    if (!found)
        return -ESRCH;
    *out = found->gr_gid;
    return 0;
}

int privileges_find(const char *user, const char *group, struct privileges *out)
{
    struct passwd *found = user ? getpwnam(user) : getpwuid(geteuid());
    if (user && !found)
        return -ENOENT;
    *out = (struct privileges){.uid = found ? found->pw_uid : geteuid(),
                               .gid = found && user ? found->pw_gid : getegid()};
    snprintf(out->user, sizeof out->user, "%s", found ? found->pw_name : "?");
    if (group) {
        int rc = find_group(group, &out->gid);
        if (rc < 0)
            return rc;
    }
    out->is_set = out->uid != geteuid() || out->gid != getegid();
    return out->is_set && geteuid() != 0 ? -EPERM : 0;
}

const char *privileges_complaint(int rc)
{
    switch (rc) {
    case -ENOENT:
        return "no such user";
    case -ESRCH:
        return "no such group";
    default:
        return "only root can start processes as another user";
    }
}

int privileges_give(const struct privileges *p, const char *path)
{
    return p->is_set && chown(path, p->uid, p->gid) < 0 ? -errno : 0;
}

int privileges_drop(const struct privileges *p)
{
    if (p->is_set) {
        if (initgroups(p->user, p->gid) < 0 || setresgid(p->gid, p->gid, p->gid) < 0 ||
            setresuid(p->uid, p->uid, p->uid) < 0)
            return -errno;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return 0;
}
