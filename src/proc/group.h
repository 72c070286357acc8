/* One section of a role with its slots: how many processes, where they listen, what they run. */
#ifndef PROC_GROUP_H
#define PROC_GROUP_H

#include <stddef.h>

#include "base/compiler.h"
#include "proc/exits.h"
#include "proc/privileges.h"
#include "proc/restart.h"
#include "proc/role.h"

struct fleet;
struct process;

/* A place for one process at a time; keeps its listening descriptors over crashes and reloads. */
struct slot {
    struct fleet *fleet;
    struct group *group;
    int pos;
    size_t serial; /* among all slots of the server */
    struct role_listen listens[ROLE_LISTENERS_MAX];
    int fds[ROLE_LISTENERS_MAX];
    size_t listens_n;
    unsigned generation; /* of the process started last */
    struct process
        *current;         /* serves, starts, or leaves at a stop; NULL while waiting for restart */
    struct process *next; /* a reload's process until it takes over */
    bool is_out;          /* by drain: no process until undrain */
    const void *farewell; /* which drain it waits for: proc/farewell.c */
    struct restart restart;
    struct timer restart_timer;
};

struct group {
    const struct role *role;
    const struct conf_section *section;
    char name[64];   /* key `name`, else "gateway:chat", without blanks for whoever reads tables by
                        column */
    char title[160]; /* "gateway chat", as in log lines and titles */
    struct privileges privileges; /* of the section's `user`, else of [master] */
    uint64_t stuck_timeout_ms;    /* of the section; 0: never killed for being stuck */
    struct slot *slots;
    int slots_n;
    unsigned serial; /* of the artifact in use; a build gets the next one */
    const char *run_dir;
    char *artifact;         /* path; NULL without prepare() */
    struct buf credentials; /* of role->credentials(), the last that were good */
    struct exits exits;
};

/* Makes the group of one section and plans its slots; nothing is bound. 0 or GW_ECONF with lines in
 * errors. */
int group_init(struct group *g, struct fleet *f, const struct role *role,
               const struct conf_section *s, struct buf *errors) NODISCARD;
/* Reads the credentials again; the old ones stay on GW_ECONF. 0 also for roles without any. */
int group_read_credentials(struct group *g, const struct conf *conf, struct buf *errors) NODISCARD;
/* In a process of another section: they are none of its business. */
void group_forget_credentials(struct group *g);
/* Closes what is bound and frees. */
void group_fini(struct group *g);
/* Removes the file when it lies in run_dir (a ready .so of the user stays), frees and clears the
 * path. */
void group_drop_artifact(const char *run_dir, char **artifact);

/* Binds every address of all groups; lines in errors name what is in the way. 0 or GW_ECONF. */
int group_bind_all(struct group *groups, size_t groups_n, const struct conf *conf,
                   struct buf *errors) NODISCARD;

#endif
