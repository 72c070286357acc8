/* Clients that take less than is sent to them: what becomes of the messages, and who is told. */
#include "gateway/slow.h"

#include <inttypes.h>

#include "base/log.h"
#include "chan/chan.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"

static void complain(const struct gateway *g, const struct client *c, const char *what)
{
    static struct log_rate rate;
    log_limited(&rate, LOG_WARN,
                "connection %" PRIu32
                " does not read: what waits for it would take more than %" PRIu64
                " bytes (send_to_client_buffer_size); %s (%" PRIu64 " so far)",
                c->id, g->conf->send_to_client_buffer_size, what, g->counts.send_fail_n);
}

static void drop_new(struct gateway *g, const struct client *c)
{
    g->counts.send_fail_n++;
    g->counts.drop_new_n++;
    complain(g, c, "message dropped");
}

/* Nothing can be dropped while one large message is under way, or before the handshake's answer:
 * then the new one is. */
static bool drop_old(struct gateway *g, const struct client *c, uint64_t len)
{
    struct conn *conn = chan_conn(c->chan);
    size_t dropped_n = conn_drop_oldest(conn, len);
    if (dropped_n > 0) {
        g->counts.send_fail_n += dropped_n;
        g->counts.drop_old_n += dropped_n;
        complain(g, c, "oldest messages dropped");
    }
    if (conn_admits(conn, len) == 0)
        return true;
    drop_new(g, c);
    return false;
}

/* Nobody waits for such news where no worker wants it. */
static void tell(struct gateway *g, struct client *c, uint8_t cmd)
{
    if (c->worker && c->worker->hears_buffers)
        route_event(g, c, cmd, WIRE_SCALAR, span_of(NULL, 0));
}

static void become_full(struct gateway *g, struct client *c)
{
    if (c->is_full)
        return;
    c->is_full = true;
    g->slow_n++;
    conn_want_drain(chan_conn(c->chan), 0);
    tell(g, c, CMD_ON_BUFFER_FULL);
}

bool slow_makes_room(struct gateway *g, struct client *c, uint64_t len)
{
    if (conn_queued(chan_conn(c->chan)) > 0)
        become_full(g, c); /* before a close: its events come in order */
    switch ((enum gateway_on_full)g->conf->on_full) {
    case ON_FULL_DROP_OLD:
        return drop_old(g, c, len);
    case ON_FULL_DROP_NEW:
        drop_new(g, c);
        return false;
    case ON_FULL_CLOSE:
        break;
    }
    g->counts.send_fail_n++;
    g->counts.slow_closed_n++;
    complain(g, c, "closed with 1013");
    chan_close(c->chan, 1013, span_str("too slow"));
    return false;
}

void slow_look(struct gateway *g, struct client *c)
{
    if (!c->is_full && conn_is_full(chan_conn(c->chan)) && !chan_is_closing(c->chan))
        become_full(g, c);
}

void slow_on_drain(struct gateway *g, struct client *c)
{
    if (!c->is_full)
        return;
    slow_forget(g, c);
    tell(g, c, CMD_ON_BUFFER_DRAIN);
}

void slow_forget(struct gateway *g, struct client *c)
{
    g->slow_n -= c->is_full;
    c->is_full = false;
}
