/* The tables of `gatehouse status` and `gatehouse connections`, as text and JSON. */
#ifndef PROC_STATUS_H
#define PROC_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "proc/exits.h"
#include "proc/role.h"

/* Everything here is borrowed for the call. Columns follow the original's, so that its users and
 * their scripts find what they know. */
struct status_row {
    pid_t pid;
    const char *name; /* of the section */
    const char *kind; /* of the role */
    int slot;
    unsigned generation;
    const char *listening; /* for a process that does not answer */
    uint64_t memory_bytes;
    uint64_t qps;
    bool is_busy;      /* did not answer in time: its numbers are not known */
    const char *doing; /* while busy: the callback that it sits in; NULL or "": not known */
    bool is_ready;     /* serves */
    bool is_leaving;   /* finishes its work, then ends */
    struct role_status counts;
};

struct status_group {
    const char *name;
    const char *kind; /* of the role */
    const struct exits *exits;
};

struct status_view {
    const char *version;
    bool is_detached;
    pid_t master_pid;
    int64_t start_wall_s, now_wall_s;
    double load[3];
    const struct status_group *groups;
    size_t groups_n;
    const struct status_row *rows;
    size_t rows_n;
};

void status_text(struct buf *out, const struct status_view *v);
void status_json(struct buf *out, const struct status_view *v);

void status_connections_head(struct buf *out);
void status_connection_row(struct buf *out, pid_t pid, const char *name,
                           const struct role_connection *c);

#endif
