/* Which user the role processes run as, and giving up every right to become another. */
#include "proc/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

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

int privileges_give(const struct privileges *p, const char *folder)
{
    return p->is_set && lchown(folder, p->uid, p->gid) < 0 ? -errno : 0;
}

int privileges_give_log(const struct privileges *p)
{
    return p->is_set ? log_give(p->uid, p->gid) : 0;
}

/* A master that is no root may have been given single rights of root, such as to bind ports below
 * 1024 (AmbientCapabilities= of systemd). Its processes need none. Whoever lets them run as root
 * has decided that, too. */
static int drop_capabilities(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    static const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];
    if (geteuid() == 0)
        return 0;
    if (syscall(SYS_capget, &head, data) == 0 && memcmp(data, none, sizeof none) == 0)
        return 0;
    return syscall(SYS_capset, &head, none) < 0 ? -errno : 0; /* the ambient ones with them */
}

int privileges_drop(const struct privileges *p)
{
    if (p->is_set) {
        if (initgroups(p->user, p->gid) < 0 || setresgid(p->gid, p->gid, p->gid) < 0 ||
            setresuid(p->uid, p->uid, p->uid) < 0)
            return -errno;
    }
    int rc = drop_capabilities();
    if (rc < 0)
        return rc;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    return 0;
}
