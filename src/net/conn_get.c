/* Small questions about a connection. */
#include "net/conn_internal.h"

void conn_set_owner(struct conn *c, void *owner)
{
    c->owner = owner;
}

void *conn_owner(const struct conn *c)
{
    return c->owner;
}

uint64_t conn_queued(const struct conn *c)
{
    return c->out ? c->out->queue.bytes + conn_file_left(c) : 0;
}

bool conn_is_paused(const struct conn *c)
{
    return c->paused_n > 0;
}

bool conn_is_closing(const struct conn *c)
{
    return c->flags & (CONN_CLOSING | CONN_DEAD);
}

const struct addr *conn_peer(const struct conn *c)
{
    return &c->peer;
}

void conn_set_peer(struct conn *c, const struct addr *peer)
{
    c->peer = *peer;
}

int conn_fd(const struct conn *c)
{
    return c->watch.fd;
}

struct conn_pool *conn_pool_of(const struct conn *c)
{
    return pool_of(c);
}

const char *conn_transport_name(const struct conn *c)
{
    return c->kind->transport->name;
}

void conn_counts(const struct conn *c, struct conn_counts *out)
{
    *out = (struct conn_counts){.read_bytes = c->read_bytes, .written_bytes = c->written_bytes};
}
