/* The next request is decoded when the answer to the one before is complete, so that answers keep
 * the order of requests whatever a callback waits for (RFC 9112 §9.3.2).
 *
 *   WAITING   no byte of the next request is there   keep_alive_timeout, then closed silently
 *   RECEIVING a request is not complete              request_timeout, then 408
 *   ANSWERING a callback has it                      no deadline: that is the module's business
 *   SENDING   output is queued                       send_timeout for each SEND_MIN_BYTES
 *   STREAM    events are sent until the end          none; the queue has its limit */
#include "service/http_line.h"

#include <errno.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/mem.h"
#include "proto/http.h"
#include "service/answer.h"
#include "service/exchange.h"
#include "service/self.h"

enum { SEND_MIN_BYTES = 16 * 1024, INPUT_MAX_BYTES = 2 * 1024 * 1024 };

enum http_phase { LINE_WAITING, LINE_RECEIVING, LINE_ANSWERING, LINE_SENDING, LINE_STREAM };

struct http_line {
    struct gw_conn *handle;
    struct conn_conf conn_conf;
    struct codec_conf codec_conf;
    enum http_phase phase;
    bool is_last;    /* no request is taken any more */
    bool is_leaving; /* after the request in hand, if there is one, no more */
    bool is_clogged; /* not read from until output has left */
    uint64_t sent_before;
    void *codec;
};

static uint64_t sent_bytes(const struct conn *c)
{
    struct conn_counts counts;

    conn_counts(c, &counts);
    return counts.written_bytes;
}

static void enter(struct http_line *l, enum http_phase phase)
{
    const struct service_conf *conf = l->handle->service->conf;
    uint64_t ms = phase == LINE_WAITING     ? conf->keep_alive_timeout_ms
                  : phase == LINE_RECEIVING ? conf->request_timeout_ms
                  : phase == LINE_SENDING   ? conf->send_timeout_ms
                                            : 0;

    l->phase = phase;
    if (l->handle->conn)
        conn_set_deadline(l->handle->conn, ms);
}

static void free_line(struct http_line *l)
{
    http_codec.fini(l->codec);
    mem_free(l->codec);
    mem_free(l);
}

/* ---- requests ---- */

static void take_request(struct http_line *l, const struct codec_event *ev)
{
    struct gw_conn *h = l->handle;

    handle_look_behind_proxy(h, ev->request);
    h->request = exchange_new(h, ev->request, ev->payload);
    if (!h->request->is_keep_alive)
        l->is_last = true;
    enter(l, LINE_ANSWERING);
    handle_raise(h, HANDLE_REQUEST);
}

static bool takes_more(const struct http_line *l)
{
    return l->phase <= LINE_RECEIVING && !l->is_last && l->handle->conn &&
           !conn_is_closing(l->handle->conn) && !l->handle->is_running;
}

static ssize_t on_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    struct http_line *l = owner;
    struct buf *reply = conn_pool_buf(conn_pool_of(c));
    size_t used = 0;

    if (l->phase == LINE_STREAM || l->is_last)
        return (ssize_t)len; /* nobody waits for more requests */
    while (takes_more(l)) {
        struct codec_event ev;
        buf_clear(reply);
        ssize_t n = http_codec.decode(l->codec, &l->codec_conf, at + used, len - used, &ev, reply);
        if (n < 0) {
            l->is_last = true;
            if (conn_send(c, buf_span(reply)) < 0)
                conn_destroy(c, (int)n);
            return n;
        }
        used += (size_t)n;
        if (reply->len > 0 && conn_send(c, buf_span(reply)) < 0)
            conn_destroy(c, GW_EFULL);
        if (ev.kind == CODEC_MESSAGE)
            take_request(l, &ev);
        else if (l->phase == LINE_WAITING && len > 0)
            enter(l, LINE_RECEIVING);
        if (n == 0)
            break;
    }
    return conn_is_closing(c) ? (ssize_t)len : (ssize_t)used;
}

/* ---- answers ---- */

static void hold_back(struct http_line *l, bool is_on)
{
    struct conn *c = l->handle->conn;

    if (l->is_clogged == is_on || !c)
        return;
    l->is_clogged = is_on;
    if (is_on)
        conn_pause(c);
    else
        conn_resume(c);
}

void http_line_answered(struct gw_conn *h)
{
    struct http_line *l = h->http;

    if (!h->conn)
        return;
    answer_complete(h->request);
    if (l->phase == LINE_STREAM)
        return;
    if (!h->request->is_keep_alive)
        l->is_last = true;
    l->sent_before = sent_bytes(h->conn);
    /* Output of pipelined requests is gathered, up to what one client may have waiting. */
    bool is_clogged = conn_queued(h->conn) >= h->service->conf->send_buffer_size;
    enter(l, is_clogged || l->is_last ? LINE_SENDING : LINE_WAITING);
    hold_back(l, l->phase == LINE_SENDING);
    conn_want_drain(h->conn, 0);
}

void http_line_stream(struct gw_conn *h)
{
    h->http->is_last = true;
    enter(h->http, LINE_STREAM);
}

bool http_line_is_stream(const struct gw_conn *h)
{
    return h->http && h->http->phase == LINE_STREAM;
}

bool http_line_is_leaving(const struct gw_conn *h)
{
    return h->http->is_last || h->http->is_leaving;
}

void http_line_leave(struct gw_conn *h)
{
    struct http_line *l = h->http;

    if (l->phase == LINE_STREAM)
        return;
    l->is_leaving = true;
    if (l->phase == LINE_WAITING && h->conn && !h->is_running)
        conn_close(h->conn);
}

/* ---- what the connection tells ---- */

static void on_open(struct conn *c, void *owner)
{
    (void)c;
    enter(owner, LINE_WAITING);
}

static void on_drain(struct conn *c, void *owner)
{
    struct http_line *l = owner;

    handle_drained(l->handle);
    if (l->phase == LINE_SENDING) {
        if (l->is_last)
            conn_close(c);
        else
            enter(l, LINE_WAITING);
    }
    hold_back(l, false);
}

static void on_deadline(struct conn *c, void *owner)
{
    struct http_line *l = owner;
    struct buf *reply = conn_pool_buf(conn_pool_of(c));

    switch (l->phase) {
    case LINE_RECEIVING:
        buf_clear(reply);
        http_put_error(reply, 408, "The request did not come in time.", clock_wall_s());
        l->is_last = true;
        if (conn_send(c, buf_span(reply)) < 0)
            conn_destroy(c, GW_ETIMEOUT);
        else
            conn_close_for(c, GW_ETIMEOUT);
        return;
    case LINE_SENDING:
        if (sent_bytes(c) - l->sent_before < SEND_MIN_BYTES) {
            conn_destroy(c, GW_ETIMEOUT);
            return;
        }
        l->sent_before = sent_bytes(c);
        conn_set_deadline(c, l->handle->service->conf->send_timeout_ms);
        return;
    case LINE_WAITING:
    case LINE_ANSWERING:
    case LINE_STREAM:
        conn_close(c);
        return;
    }
}

static void on_close(struct conn *c, void *owner, int why)
{
    struct http_line *l = owner;
    struct gw_conn *h = l->handle;

    (void)c;
    h->http = NULL;
    free_line(l);
    handle_ended(h, why, why == 0 || why == GW_ECLOSED ? 1000 : 1006);
}

static const struct conn_events line_events = {
    .on_open = on_open,
    .on_bytes = on_bytes,
    .on_drain = on_drain,
    .on_close = on_close,
    .on_deadline = on_deadline,
};

int http_line_open(struct gw_conn *h, int fd, const struct transport *transport,
                   void *transport_state)
{
    const struct service_conf *c = h->service->conf;
    struct http_line *l = mem_zalloc(sizeof *l);

    l->handle = h;
    l->codec = mem_zalloc(http_codec.state_bytes);
    l->codec_conf = (struct codec_conf){.message_max_bytes = c->max_message_bytes,
                                        .head_max_bytes = c->max_head_bytes};
    /* Input that waits for its turn: pipelined requests that came in one read. */
    l->conn_conf = (struct conn_conf){.in_max_bytes = c->max_head_bytes + INPUT_MAX_BYTES,
                                      .close_timeout_ms = c->close_timeout_ms,
                                      .handshake_timeout_ms = c->handshake_timeout_ms};
    h->conn = conn_new(h->service->env->conns, fd, &h->peer, transport, transport_state,
                       &l->conn_conf, &line_events, l);
    if (!h->conn) {
        int rc = -errno;
        free_line(l);
        return rc;
    }
    h->http = l;
    return 0;
}
