/* Processes of a section share a port, so a POST may land anywhere. The id begins with the slot of
 * the process that has the session; that one listens on a socket of its own in the server's
 * run-time folder. One line tells it who the client is, then bytes pass both ways until one side
 * ends. A relayed request is never relayed again. docs/wire.md §6 */
#include "sse/relay.h"

#include <stdio.h>
#include <string.h>

#include <gw/err.h>

#include "base/mem.h"
#include "net/sock.h"
#include "sse/guest.h"
#include "sse/lobby.h"
#include "sse/session.h"

enum { HIGH_BYTES = 256 * 1024, LOW_BYTES = 64 * 1024 };

struct side {
    struct relay *relay;
    struct side *other;
    struct conn *conn; /* NULL after its end */
    bool is_held;
};

struct relay {
    struct list node;
    struct task free_later; /* the connections look at conf until they are gone */
    struct conn_conf conf;
    struct side client;
    struct side there;
};

char *relay_path(const struct lobby *l, unsigned slot)
{
    struct buf path = {0};

    buf_printf(&path, "%s/sse-%s-%d-%u.sock", l->conf.run_dir, l->conf.section, l->conf.listener,
               slot);
    char *text = mem_strdup(buf_cstr(&path));
    buf_fini(&path);
    return text;
}

static ssize_t on_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    struct side *s = owner;
    struct conn *to = s->other->conn;

    if (!to || conn_send(to, span_of(at, len)) < 0)
        return GW_ECLOSED;
    if (conn_queued(to) >= HIGH_BYTES && !s->is_held) {
        s->is_held = true;
        conn_pause(c);
        conn_want_drain(to, LOW_BYTES);
    }
    return (ssize_t)len;
}

static void on_drain(struct conn *c, void *owner)
{
    struct side *from = ((struct side *)owner)->other;

    (void)c;
    if (from->is_held && from->conn)
        conn_resume(from->conn);
    from->is_held = false;
}

static void free_now(struct task *t)
{
    mem_free(CONTAINER_OF(t, struct relay, free_later));
}

static void on_close(struct conn *c, void *owner, int why)
{
    struct side *s = owner;

    (void)why;
    s->conn = NULL;
    if (s->other->conn) {
        conn_close(s->other->conn);
        return;
    }
    list_remove(&s->relay->node);
    s->relay->free_later.run = free_now;
    loop_at_end(conn_pool_loop(conn_pool_of(c)), &s->relay->free_later);
}

static const struct conn_events relay_events = {
    .on_bytes = on_bytes, .on_drain = on_drain, .on_close = on_close};

static int dial(const struct lobby *l, unsigned slot)
{
    char *path = relay_path(l, slot);
    int fd = sock_connect_unix(path);

    mem_free(path);
    return fd;
}

/* The client's connection is taken over with its bytes unread, and comes here again with them. */
static bool begin(struct guest *g, int fd)
{
    struct lobby *l = g->lobby;
    struct relay *r = mem_zalloc(sizeof *r);
    char line[ADDR_TEXT_MAX + 1];

    r->conf = (struct conn_conf){.close_timeout_ms = l->conn_conf.close_timeout_ms};
    r->client = (struct side){.relay = r, .other = &r->there, .conn = g->conn};
    r->there = (struct side){.relay = r, .other = &r->client};
    r->there.conn = conn_new(l->conf.conns, fd, NULL, &plain_transport, NULL, &r->conf,
                             &relay_events, &r->there);
    if (!r->there.conn) {
        mem_free(r);
        return false;
    }
    list_append(&l->relays, &r->node);
    addr_text(conn_peer(g->conn), line);
    size_t len = strlen(line);
    line[len] = '\n';
    if (conn_send(r->there.conn, span_of(line, len + 1)) < 0)
        conn_destroy(r->there.conn, GW_EFULL);
    conn_adopt(g->conn, &r->conf, &relay_events, &r->client);
    guest_let_go(g);
    return true;
}

bool relay_take(struct guest *g, struct span session)
{
    unsigned slot;

    if (!session_slot(session, &slot) || (int)slot == g->lobby->conf.slot)
        return false;
    int fd = dial(g->lobby, slot);
    return fd >= 0 && begin(g, fd); /* else: answered by 404 here, the session is gone */
}

void relay_close_all(struct lobby *l)
{
    for (struct list *n = l->relays.next; n != &l->relays; n = n->next) {
        struct relay *r = CONTAINER_OF(n, struct relay, node);
        if (r->client.conn)
            conn_close(r->client.conn);
    }
}
