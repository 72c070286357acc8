/* A row of `gatehouse connections`, as the connection itself tells it. */
#include "proc/connection.h"

#include <sys/socket.h>

#include "net/sock.h"

struct role_connection connection_row(const struct conn *c, uint64_t id, const char *protocol)
{
    const struct addr *peer = conn_peer(c);
    struct conn_counts counts;
    struct addr local = {0};
    int unread = 0, unsent = 0;
    conn_counts(c, &counts);
    /* One that is just going may not know any more: then these are empty. */
    bool has_local = sock_local(conn_fd(c), &local) == 0;
    (void)sock_queue(conn_fd(c), &unread, &unsent);
    struct role_connection r = {.id = id,
                                .transport = conn_transport_name(c),
                                .protocol = protocol,
                                .is_ipv6 = peer->family == AF_INET6,
                                .state = conn_is_closing(c) ? "CLOSING" : "ESTABLISHED",
                                .read_bytes = counts.read_bytes,
                                .written_bytes = counts.written_bytes,
                                .unread_bytes = (uint64_t)unread,
                                .unsent_bytes = (uint64_t)unsent + conn_queued(c)};
    if (has_local)
        addr_text(&local, r.local);
    addr_text(peer, r.remote);
    return r;
}
