/* Events of clients, each on a coroutine: in order and one at a time per client, side by side else.
 */
#ifndef WORKER_DISPATCH_H
#define WORKER_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/pool.h"
#include "base/vec.h"
#include "mesh/uplink.h"
#include "net/fibers.h"
#include "net/loop.h"
#include "worker/event.h"

/* A client of a gateway with events in hand. What is kept afterwards, until its on_close, is the
 * version of its session if this worker wrote it: an idle client costs nothing else. */
struct client {
    struct dispatch *dispatch;
    struct uplink *uplink;    /* NULL: the link is lost, the rest of its events still run */
    struct list queue;        /* events, the running one taken out */
    struct list waiting;      /* for a coroutine */
    uint32_t id;              /* connection id */
    uint32_t own_session_crc; /* of the session that this worker wrote or fetched last */
    bool has_own_session;
    bool is_running;
    bool is_gone; /* its on_close has run */
};

/* Events in memory at most, all clients together. Beyond it no more are read from the gateways. */
enum { DISPATCH_BYTES_MAX = 256 * 1024 * 1024 };

struct dispatch_events {
    void (*run)(void *owner, struct event *e); /* on a coroutine; may wait */
    /* The last event in hand of a client was finished. */
    void (*on_client_idle)(void *owner, struct client *c);
    void (*on_room)(void *owner); /* paused links may go on */
};

struct dispatch {
    struct loop *loop;
    struct fibers *fibers;
    const struct dispatch_events *events;
    void *owner;
    bool is_open; /* events run; before that they wait */
    struct pool *clients;
    struct vec idle_events;
    struct list waiting; /* clients whose events found no coroutine */
    struct task more;
    uint64_t bytes_n;
    bool is_full;
    size_t in_hand_n; /* events waiting or running */
    uint64_t done_n;  /* since the process began */
};

void dispatch_init(struct dispatch *d, struct loop *l, struct fibers *f,
                   const struct dispatch_events *events, void *owner);
void dispatch_fini(struct dispatch *d); /* nothing may be in hand */
void dispatch_open(struct dispatch *d); /* from now on events run */

/* An event of a client of that link; the packet is borrowed. */
void dispatch_packet(struct dispatch *d, struct uplink *u, const struct wire_packet *p);
/* The link is lost: forgets its idle clients; events in hand run to their end. */
void dispatch_forget(struct dispatch *d, struct uplink *u);
/* Appends the connection ids (u32be) of the link's clients with events in hand. */
void dispatch_busy_ids(const struct uplink *u, struct buf *out);

#endif
