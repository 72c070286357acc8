/* The way of an event: to the worker its client is bound to, or to where it can wait for one. */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "gateway/backlog.h"
#include "gateway/feeders.h"
#include "gateway/workers.h"
#include "net/loop.h"

struct client;
struct gateway;
struct peer;

/* Events of one client never overtake each other, because all that were not written lie in one
 * queue: the backlog of the worker that the client is bound to, or `orphans` when it has none.
 * To a link's connection no more is given than it will soon send; what is held back can go to
 * another worker when this one dies. */
struct route {
    struct workers workers;
    struct backlog orphans; /* no worker is there for these */
    struct feeders orphan_feeders;
    struct timer grace; /* until the oldest orphan is given up */
    struct buf ext;     /* scratch: address and session of an IPv6 client */
};

void route_init(struct gateway *g);
void route_fini(struct gateway *g);

/* Sends an event of the client with its session. Never fails; a full queue pauses the client. */
void route_event(struct gateway *g, struct client *c, uint8_t cmd, uint8_t flag, struct span body);
/* Whether events may be on their way to a worker that can tell when they are done. */
bool route_is_in_hand(const struct client *c);
/* The client is closing, its last event was routed: its worker forgets it. */
void route_forget(struct gateway *g, struct client *c);

/* A worker has shown its key. It gets what waited for somebody like it; the same key takes the
 * older link's place, which is closed. */
void route_attach(struct gateway *g, struct peer *peer, struct span key);
/* The link is gone, perhaps without a worker on it. What was not written goes to other workers. */
void route_detach(struct gateway *g, struct peer *peer);
void route_on_drain(struct gateway *g, struct worker *w); /* its link has sent most of its queue */

/* Hands out a taken backlog, each event to its client's worker of now, and frees it. */
void route_hand_out(struct gateway *g, struct backlog *events);
void route_relieve(struct gateway *g,
                   struct worker *w);        /* resumes its feeders once there is room */
bool route_is_idle(const struct gateway *g); /* no event waits or is in a worker's hands */
uint64_t route_queued_bytes(const struct gateway *g);
/* Whether so much waits that nobody new should be taken. Clients are slowed down before, but who
 * comes only to leave again is not slowed down by anything. */
bool route_is_choked(const struct gateway *g);

#endif
