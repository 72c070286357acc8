/* Reload: builds the new code, starts new processes beside the old ones, then lets the old ones
 * leave. */
#ifndef PROC_RELOAD_H
#define PROC_RELOAD_H

#include <stdbool.h>

#include "base/vec.h"
#include "proc/builder.h"
#include "proc/ctl.h"
#include "proc/fleet.h"

/* Section by section, for reloadable roles:
 *   1. prepare() runs in a builder. It fails: the old code keeps running.
 *   2. A new process starts for every slot, RELOAD_STARTING_MAX at a time. One ends before it is
 *      ready, or is not ready in ready_timeout: all new ones are stopped, the old ones stay. So a
 *      section runs either all new or all old code.
 *   3. All new processes take over at once; the old ones are asked to drain and leave within
 * graceful_timeout. Other roles open their logs again and get reopen(). */
enum { RELOAD_STARTING_MAX = 4 };

enum reload_stage { RELOAD_IDLE, RELOAD_BUILDING, RELOAD_STARTING, RELOAD_LEAVING };

struct reload {
    struct fleet *fleet;
    enum reload_stage stage;
    size_t group_pos;
    struct builder *builder;
    char *artifact;        /* the new one, until it is taken or thrown away */
    char *old_artifact;    /* in use until the old processes have left */
    int started_n;         /* slots [0, started_n) of the group have a new process */
    struct timer deadline; /* RELOAD_STARTING */
    bool is_late;
    bool is_failed;
    struct vec callers; /* struct ctl_session, of this run */
    struct vec queued;  /* of the next one */
    bool is_queued;
};

void reload_init(struct reload *r, struct fleet *f);
/* s may be NULL. While one runs, another is queued (one run serves all who wait). */
void reload_ask(struct reload *r, struct ctl_session *s);
void reload_step(struct reload *r); /* after each change of the fleet */
/* Gives up, answers the callers with failure, frees. */
void reload_fini(struct reload *r);

#endif
