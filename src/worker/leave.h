/* How a worker ends: handing its clients over at a reload, or at once at a stop. */
#ifndef WORKER_LEAVE_H
#define WORKER_LEAVE_H

#include "worker/self.h"

void leave_init(struct worker *w);
/* docs/wire.md §3, "handing clients over at a reload", the steps of the old worker. */
void leave_drain(struct worker *w);
void leave_stop(struct worker *w);

/* What the rest of the worker tells: */
void leave_marked(struct worker *w, struct uplink *u); /* CMD_DRAIN_MARK came */
void leave_client_idle(struct worker *w, struct client *c);
void leave_link_down(struct worker *w, struct uplink *u);

#endif
