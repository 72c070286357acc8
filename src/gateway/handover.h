/* Reload without loss: a worker that leaves hands its clients to others, in order. */
#ifndef GATEWAY_HANDOVER_H
#define GATEWAY_HANDOVER_H

#include <stdint.h>

#include "base/span.h"

struct gateway;
struct worker;

/* 1. CMD_DRAIN: no event is written to the worker any more; those of its clients wait.
 *    CMD_DRAIN_MARK answers, behind the last event.
 * 2. CMD_DRAINED: all clients but the listed ones go to other workers, their events first.
 * 3. CMD_RELEASE: one listed client follows, when its last event is done.
 * A worker that dies or connects anew meanwhile releases everything (route.c). */
void handover_drain(struct gateway *g, struct worker *w);
/* ids: u32be each. Later calls change nothing. */
void handover_drained(struct gateway *g, struct worker *w, struct span ids);
void handover_release(struct gateway *g, struct worker *w, uint32_t id);

#endif
