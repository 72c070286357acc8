/* The rows that a gateway adds to `gatehouse connections`. */
#include "gateway/table.h"

#include "chan/chan.h"
#include "gateway/state.h"
#include "proc/connection.h"
#include "proto/codec.h"

static bool client_row(const struct client *c, role_connection_fn *row, void *ctx)
{
    struct role_connection r =
        connection_row(chan_conn(c->chan), c->id, chan_kind_of(c->chan)->codec->name);
    if (!chan_is_open(c->chan) && !chan_is_closing(c->chan))
        r.state = "HANDSHAKE";
    return row(ctx, &r);
}

void table_connections(struct gateway *g, role_connection_fn *row, void *ctx)
{
    uint32_t pos = 0;
    for (struct client *c = roster_next(&g->clients.all, &pos); c;
         c = roster_next(&g->clients.all, &pos))
        if (!client_row(c, row, ctx))
            return;
    uint64_t id = 0;
    for (struct list *n = g->inner.peers.next; n != &g->inner.peers; n = n->next) {
        const struct peer *p = CONTAINER_OF(n, struct peer, node);
        struct role_connection r = connection_row(p->conn, ++id, "wire");
        if (!p->is_authorized)
            r.state = "HANDSHAKE";
        if (!row(ctx, &r))
            return;
    }
}
