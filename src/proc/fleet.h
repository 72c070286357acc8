/* All groups and processes of one server, as the master sees them. */
#ifndef PROC_FLEET_H
#define PROC_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/list.h"
#include "net/conn.h"
#include "net/loop.h"
#include "proc/group.h"
#include "proc/master_conf.h"
#include "proc/privileges.h"

/* Whoever waits for something (a reload, a stop, the start itself) looks at the whole fleet again
 * after each change, instead of following single events: so no order of crashes can confuse it. */
struct fleet {
    const struct conf *conf;
    const struct master_conf *settings;
    const struct privileges *privileges;
    const char *conf_name; /* for process titles */
    struct loop *loop;
    struct conn_pool *conns;
    struct group *groups; /* in start_order */
    size_t groups_n;
    size_t slots_n;          /* of all groups */
    struct notices *notices; /* NULL: none to be had */
    struct list processes;   /* struct process; forked and not yet reaped */
    bool is_stopping;        /* nothing is restarted any more */
    pid_t build_pid;         /* of a build under way, which builder.c reaps; 0: there is none */
    struct timer sampling;
    struct task changed;
    void (*on_change)(
        void *owner); /* from the loop, after processes came, got ready, answered or ended */
    /* In a new child: closes the master's descriptors that are not the fleet's. */
    void (*on_fork)(void *owner);
    void (*on_connection_row)(void *owner, struct process *p, uint64_t serial, struct span line);
    void (*on_metrics_asked)(void *owner, struct process *p);
    void *owner;
};

/* The first four fields must be set. Makes the groups of all sections that belong to a role. 0 or
 * GW_ECONF with lines in errors. */
int fleet_init(struct fleet *f, const struct role *const *roles, size_t roles_n,
               struct buf *errors) NODISCARD;
void fleet_fini(struct fleet *f);
/* Forks the first process of every slot and samples their counters each second. loop must be set.
 */
void fleet_start(struct fleet *f);
/* After SIGCHLD: takes leave of the processes that ended and plans their successors; also of
 * orphans that they left, where the master inherits those. */
void fleet_reap(struct fleet *f);
void fleet_touch(struct fleet *f); /* on_change comes */
/* fork() with the master's descriptors and signals left behind in the child. */
pid_t fleet_fork(struct fleet *f) NODISCARD;

/* The slot's current process is gone (or was never there): starts one, now or after the delay. */
void slot_start(struct slot *s);
void slot_restart_later(struct slot *s, uint64_t delay_ms);

#endif
