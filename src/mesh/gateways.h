/* The gateways of a worker: a link to each that is listed, found by its address. */
#ifndef MESH_GATEWAYS_H
#define MESH_GATEWAYS_H

#include <stdbool.h>

#include "base/idmap.h"
#include "base/vec.h"
#include "client/addr_book.h"
#include "mesh/uplink.h"

struct gateways {
    struct uplink_kind kind;
    struct vec links;      /* struct uplink *, in the order in which they were first listed */
    struct idmap *up;      /* struct uplink * by gateway_at_key() */
    struct addr_book book; /* those that are up */
    uint32_t changes_n;    /* of the book */
    bool is_closing;
    const struct uplink_events *events; /* told what the links do, after our own book-keeping */
    void *owner;
};

struct gateways_conf {
    struct conn_pool *conns;
    struct fibers *fibers;
    const char *worker_key; /* borrowed, as is secret; NULL: takes no events */
    const char *secret;
    const struct peer_tls *tls; /* outlives the links */
    bool has_judge;             /* these three: see struct uplink_kind */
    bool skips_requests;
    bool hears_buffers;
    uint64_t send_max_bytes;
    uint64_t packet_max_bytes;
};

void gateways_init(struct gateways *g, const struct gateways_conf *conf,
                   const struct uplink_events *events, void *owner);

/* What the registries list now, texts. New ones are dialled; those that vanished stay connected,
 * but are not dialled again once lost (vectors/worker-gateway.json, gateway_lost_not_listed). */
void gateways_set_list(struct gateways *g, const struct vec *addresses);
/* NULL unless it is up. */
struct uplink *gateways_find(const struct gateways *g, struct gateway_at at);
size_t gateways_up_n(const struct gateways *g);
/* Every listed one is connected (ours: agreed on the extension) or could not be. */
bool gateways_are_settled(const struct gateways *g);
/* Flushes and closes all; none is dialled again. on_down follows for each that is up. */
void gateways_close(struct gateways *g);

#endif
