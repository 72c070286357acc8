/* What a module does with a connection: the calls of <gw/service.h> but for dialling. */

#include <gw/http.h>
#include <gw/service.h>

#include "base/log.h"
#include "service/dial.h"
#include "service/handle.h"
#include "service/http_line.h"
#include "service/self.h"

/* ---- sending ---- */

static int counted(struct gw_conn *h, int rc)
{
    if (rc < 0)
        h->service->send_fail_n++;
    else
        handle_watch_queue(h);
    return rc;
}

static int send_message(struct gw_conn *h, struct gw_bytes message, bool is_binary)
{
    struct span payload = span_of(message.data, message.len);

    if (h->datagrams)
        return counted(h, datagrams_send(h->datagrams, &h->peer, payload));
    if (!h->conn)
        return counted(h, GW_ECLOSED);
    if (h->http) {
        if (!http_line_is_stream(h))
            return counted(h, GW_ECONTEXT);
        return counted(h, gw_conn_send_event(h, NULL, NULL, message));
    }
    if (!h->kind->own)
        return counted(h, chan_send(h->chan, payload, is_binary));
    struct buf *framed = &h->service->scratch;
    buf_clear(framed);
    own_codec_encode(h->kind->own, framed, payload);
    return counted(h, chan_send_raw(h->chan, buf_span(framed)));
}

int gw_conn_send(struct gw_conn *conn, struct gw_bytes message)
{
    return send_message(conn, message, false);
}

int gw_conn_send_binary(struct gw_conn *conn, struct gw_bytes message)
{
    return send_message(conn, message, true);
}

int gw_conn_send_raw(struct gw_conn *conn, struct gw_bytes bytes)
{
    if (conn->datagrams)
        return send_message(conn, bytes, true);
    if (!conn->chan)
        return counted(conn, conn->conn ? GW_ECONTEXT : GW_ECLOSED);
    return counted(conn, chan_send_raw(conn->chan, span_of(bytes.data, bytes.len)));
}

int gw_conn_flush(struct gw_conn *conn)
{
    struct fibers *f = &conn->service->mesh.fibers;

    if (conn->datagrams)
        return 0;
    if (!conn->conn)
        return GW_ECLOSED;
    if (conn_queued(conn->conn) == 0)
        return 0;
    if (!fibers_is_inside(f) || conn->flusher)
        return GW_ECONTEXT;
    conn->flusher = fibers_self(f);
    conn_want_drain(conn->conn, 0);
    fibers_wait(f);
    return conn->conn ? 0 : GW_ECLOSED;
}

/* ---- the end ---- */

void gw_conn_close(struct gw_conn *conn, uint16_t code, const char *reason)
{
    conn->is_forgotten = true;
    if (conn->chan)
        chan_close(conn->chan, code, span_str(reason));
    else if (conn->conn)
        conn_close(conn->conn);
    if (!conn->events)
        dial_forget(conn);
}

void gw_conn_destroy(struct gw_conn *conn)
{
    conn->is_forgotten = true;
    if (conn->chan)
        chan_destroy(conn->chan, 0);
    else if (conn->conn)
        conn_destroy(conn->conn, 0);
    if (!conn->events)
        dial_forget(conn);
}

int gw_conn_refuse(struct gw_conn *conn, int http_status, const char *text)
{
    if (!conn->chan)
        return GW_ECLOSED;
    if (!conn->is_opening) { /* the handshake is answered by now */
        chan_close(conn->chan, 1008, span_str(text));
        return GW_ECONTEXT;
    }
    conn->refusal_status = http_status;
    conn->refusal = text ? text : "";
    return 0;
}

/* ---- reading ---- */

void gw_conn_pause(struct gw_conn *conn)
{
    if (conn->is_paused || !conn->conn)
        return;
    conn->is_paused = true;
    conn_pause(conn->conn);
}

void gw_conn_resume(struct gw_conn *conn)
{
    if (!conn->is_paused || !conn->conn)
        return;
    conn->is_paused = false;
    conn_resume(conn->conn);
}

/* ---- small questions ---- */

uint64_t gw_conn_id(const struct gw_conn *conn)
{
    return conn->id;
}

uint64_t gw_conn_queued(const struct gw_conn *conn)
{
    return conn->conn ? conn_queued(conn->conn) : 0;
}

bool gw_conn_is_open(const struct gw_conn *conn)
{
    return conn->datagrams || (conn->conn && !conn_is_closing(conn->conn) &&
                               !(conn->chan && chan_is_closing(conn->chan)));
}

bool gw_conn_is_binary(const struct gw_conn *conn)
{
    return conn->is_binary;
}

const char *gw_conn_ip(const struct gw_conn *conn)
{
    return conn->ip;
}

uint16_t gw_conn_port(const struct gw_conn *conn)
{
    return conn->peer.port;
}

void gw_conn_set_data(struct gw_conn *conn, void *data)
{
    conn->data = data;
}

void *gw_conn_data(const struct gw_conn *conn)
{
    return conn->data;
}

/* ---- all of them ---- */

struct gw_conn *gw_conn_find(struct gw *gw, uint64_t id)
{
    struct service *s = service_of(gw);

    return s ? idmap_get(s->by_id, id) : NULL;
}

size_t gw_conn_count(struct gw *gw)
{
    struct service *s = service_of(gw);

    return s ? idmap_len(s->by_id) : 0;
}

void gw_conn_each(struct gw *gw, void (*each)(struct gw_conn *conn, void *arg), void *arg)
{
    struct service *s = service_of(gw);

    if (!s)
        return;
    for (struct list *node = s->accepted.next, *next; node != &s->accepted; node = next) {
        struct gw_conn *h = CONTAINER_OF(node, struct gw_conn, node);
        next = node->next;
        if (!h->datagrams)
            each(h, arg);
    }
}
