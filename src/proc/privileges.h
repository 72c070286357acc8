/* Which user the role processes run as, and giving up every right to become another. */
#ifndef PROC_PRIVILEGES_H
#define PROC_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"

struct privileges {
    bool is_set; /* false: stay who we are */
    uid_t uid;
    gid_t gid;
    char user[64]; /* for the banner: who the processes will be */
};

/* Looks the names up; both may be NULL. Without `group` the user's own one is taken. 0, -ENOENT
 * (no such user), -ESRCH (no such group) or -EPERM (another user needs a start by root). */
int privileges_find(const char *user, const char *group, struct privileges *out) NODISCARD;
/* What to tell about an error of privileges_find(). */
const char *privileges_complaint(int rc);
/* Makes the folder, or the open log, that user's own, when it is another one. 0 or -errno. */
int privileges_give(const struct privileges *p, const char *folder) NODISCARD;
int privileges_give_log(const struct privileges *p) NODISCARD;
/* Becomes that user for good and, unless that is root, gives up all capabilities; also sets
 * no_new_privs, so that no program run later gains rights. 0 or -errno: then the process must not
 * go on. */
int privileges_drop(const struct privileges *p) NODISCARD;

#endif
