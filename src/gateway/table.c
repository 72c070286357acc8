/* The rows that a gateway adds to `gatehouse connections`. */
#include "gateway/table.h"

#include "chan/chan.h"
#include "gateway/state.h"
#include "net/sock.h"
#include "proto/codec.h"

static struct role_connection row_of(const struct conn *conn, uint64_t id, const char *protocol)
{
    const struct addr *peer = conn_peer(conn);
    struct role_connection r = {.id = id,
                                .transport = conn_transport_name(conn),
                                .protocol = protocol,
                                .is_ipv6 = peer->family == AF_INET6,
                                .state = conn_is_closing(conn) ? "CLOSING" : "ESTABLISHED"};
    struct conn_counts counts;
    conn_counts(conn, &counts);
    r.read_bytes = counts.read_bytes;
    r.written_bytes = counts.written_bytes;
    int unread = 0, unsent = 0;
    sock_queue(conn_fd(conn), &unread, &unsent);
    r.unread_bytes = (uint64_t)unread;
    r.unsent_bytes = (uint64_t)unsent + conn_queued(conn);
    addr_text(peer, r.remote);
    struct addr local;
    if (sock_local(conn_fd(conn), &local) == 0)
        addr_text(&local, r.local);
    return r;
}

static bool client_row(const struct client *c, role_connection_fn *row, void *ctx)
{
    const struct conn *conn = chan_conn(c->chan);
    struct role_connection r = row_of(conn, c->id, chan_kind_of(c->chan)->codec->name);
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
        struct role_connection r = row_of(p->conn, ++id, "wire");
        if (!p->is_authorized)
            r.state = "HANDSHAKE";
        if (!row(ctx, &r))
            return;
    }
}
