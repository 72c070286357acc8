/* Questions to all processes at once, answered to the caller when all have spoken or a second has
 * passed. */
#ifndef PROC_QUERY_H
#define PROC_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/span.h"
#include "proc/ctl.h"
#include "proc/fleet.h"
#include "proc/process.h"

/* A process that does not answer in time is shown as busy; it is not interrupted and keeps nobody
 * waiting. */
enum { QUERY_WAIT_MS = 1000 };

struct queries {
    struct fleet *fleet;
    bool is_detached;
    int64_t start_wall_s;
    struct list waiting;
    uint64_t serial; /* of the list of connections asked for last */
};

void queries_init(struct queries *q, struct fleet *f, bool is_detached);
void queries_fini(struct queries *q); /* ends all with failure */
void query_status(struct queries *q, struct ctl_session *s, bool is_json);
/* For a process, which is told by process_tell_metrics() unless it ends before. */
void query_metrics(struct queries *q, const struct process *asker);
/* One list at a time; more callers wait for their turn. */
void query_connections(struct queries *q, struct ctl_session *s);
void queries_step(struct queries *q); /* after each change of the fleet */
void queries_row(struct queries *q, struct process *p, uint64_t serial, struct span line);

#endif
