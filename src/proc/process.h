/* One forked role process, as the master sees it: its pid, its control line, its last answers. */
#ifndef PROC_PROCESS_H
#define PROC_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/activity.h"
#include "base/compiler.h"
#include "base/list.h"
#include "proc/group.h"
#include "proc/role.h"

struct process {
    struct list node; /* in fleet->processes */
    struct slot *slot;
    pid_t pid;
    struct conn *line; /* socketpair to the process; NULL once it is closed */
    unsigned generation;
    uint64_t born_ms;
    bool is_ready;
    bool is_leaving;  /* was asked to drain or stop: its end is no crash */
    bool is_draining; /* has answered that it takes no more work */
    bool is_killed;
    struct timer deadline; /* of leaving, then of the stop that follows */
    bool is_last_deadline;

    bool is_asking; /* for metrics, unanswered yet */
    bool is_asked;  /* for its status, unanswered yet */
    struct role_status status;
    bool has_status;
    uint64_t sample_ms, sample_requests_n; /* the reading that qps is counted from */
    uint64_t qps;
    struct activity *activity; /* what it does; NULL: there was no memory to see it in */
    uint32_t seen_serial;      /* of activity at the last look, see stuck.h */
    unsigned silent_n;         /* looks without an answer and in one and the same callback */
    uint64_t listing;          /* serial of the list of connections that it owes; 0: none */
};

/* Forks. NULL with errno (logged). In the child this call never returns. */
struct process *process_new(struct fleet *f, struct slot *s, const char *artifact) NODISCARD;
void process_free(struct process *p);                            /* after it was reaped */
const char *process_who(const struct process *p, char out[192]); /* "worker chat #2" */

void process_ask_status(struct process *p);
void process_ask_connections(struct process *p, uint64_t serial);
/* The answer to its question for metrics: text of lines. */
void process_tell_metrics(struct process *p, struct span text);
/* Asks it to open its log again and to take these credentials, if any. */
void process_reopen(struct process *p, struct span credentials);
/* Asks it to finish its work and end; after limit_ms it is asked to stop, and killed stop_timeout
 * later. */
void process_drain(struct process *p, uint64_t limit_ms);
/* Asks it to leave without haste: role.h, retreat(). */
void process_retreat(struct process *p, uint64_t per_second, uint64_t seconds);
/* Asks it to end at once, with a flush; killed after limit_ms. */
void process_stop(struct process *p, uint64_t limit_ms);
void process_kill(struct process *p);

#endif
