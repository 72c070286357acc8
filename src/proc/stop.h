/* Stopping the whole server, plainly or after the work in hand. */
#ifndef PROC_STOP_H
#define PROC_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "proc/fleet.h"

/* Plain: every process is asked at once to close with a flush, and killed after stop_timeout.
 *
 * Graceful, in this order, all within graceful_timeout:
 *   1. web drains and ends: no pushes come in any more.
 *   2. Gateways are asked to drain: they take no new clients and read no more from the ones they
 * have; the next step waits until each has answered that it does so.
 *   3. Workers drain and end: what the gateways had handed over is worked off, the answers go out.
 *   4. Gateways, left by their workers, flush what their clients still get, close them and end.
 *   5. The registry ends.
 * A process that is not done when the time is over is stopped, and killed stop_timeout later. */
struct stop {
    struct fleet *fleet;
    bool is_running;
    bool is_graceful;
    size_t step;
    uint64_t end_ms; /* of the graceful time */
};

/* Twice is fine: a plain stop overtakes a graceful one. */
void stop_begin(struct stop *s, bool is_graceful);
/* After each change of the fleet; true once no process is left. */
bool stop_step(struct stop *s) NODISCARD;

#endif
