/* The workers of one gateway process: who is connected, who gets the next client. */
#ifndef GATEWAY_WORKERS_H
#define GATEWAY_WORKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "base/vec.h"
#include "gateway/backlog.h"
#include "gateway/feeders.h"
#include "gateway/gateway_conf.h"

struct client;
struct idmap;
struct peer;

/* In the order of a worker's life; only a serving one gets new clients. */
enum worker_phase {
    WORKER_SERVING,
    WORKER_DRAINING, /* asked for no new events: those of its clients wait */
    WORKER_DRAINED,  /* has told which clients are still in hand: only their events wait here */
    WORKER_GONE,     /* its link is closed; kept until no client points to it */
};

struct worker {
    char *key; /* "ip:worker_key": the same key again takes this worker over */
    struct peer *peer;
    enum worker_phase phase;
    bool speaks_ours;
    bool has_judge;      /* its module judges handshakes */
    bool skips_requests; /* its module has no on_websocket_connect */
    bool hears_buffers;  /* its module hears of slow clients */
    uint64_t record;     /* clients counted by the least_connections router */
    uint32_t holders_n;  /* clients that point here */
    uint64_t sent_n;     /* events written to the link */
    uint64_t done_n;     /* of these, finished as CMD_DONE told */

    /* Events that were not written. While serving: all of them follow what is in the link's own
     * queue. Drained: they lie in `busy`, by client, until that client is released. */
    struct backlog waiting;
    struct idmap *busy; /* struct backlog by connection id; NULL until drained */
    size_t busy_bytes;
    struct feeders feeders;
};

struct workers {
    struct vec all; /* connected ones, in the order of their first connecting */
};

void workers_fini(struct workers *ws);
struct worker *workers_find(const struct workers *ws, struct span key);
struct worker *workers_add(struct workers *ws, struct span key);
/* Takes it out of the table; it is freed with its last holder. */
void workers_retire(struct workers *ws, struct worker *w);

/* A serving worker, or NULL. The lowest record wins, ties go to the one first in the table
 * (worker-gateway.json least_connections). */
struct worker *workers_choose(const struct workers *ws, enum gateway_router router);
size_t workers_len(const struct workers *ws);
struct worker *workers_at(const struct workers *ws, size_t pos);

/* Binds the client, which leaves the one it had; w may be NULL. The records follow the original:
 * +1 when chosen, -1 when the client closes, nothing when it moves because its worker is gone. */
void worker_bind(struct worker *w, struct client *c);
void worker_client_closed(struct client *c); /* unbinds; its record falls */
void worker_hold(struct worker *w);
void worker_let_go(struct worker *w);

#endif
