/* Requests are read with the HTTP codec of all roles. The first one of a connection is looked at
 * before it is taken: what is not for the fallback goes to the WebSocket side untouched. */
#include "sse/guest.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "chan/chan.h"
#include "proto/codec.h"
#include "sse/lobby.h"
#include "sse/relay.h"
#include "sse/session.h"

enum { IDLE_MS = 75 * 1000, PEER_LINE_MAX = ADDR_TEXT_MAX };

static void count(struct guest *g)
{
    g->lobby->guests_n++;
    addr_counts_add(&g->lobby->addresses, conn_peer(g->conn));
}

static void uncount(struct guest *g)
{
    g->lobby->guests_n--;
    addr_counts_remove(&g->lobby->addresses, conn_peer(g->conn));
}

void guest_let_go(struct guest *g)
{
    if (g->conn && !g->is_relayed)
        uncount(g);
    list_remove(&g->node);
    http_codec.fini(g->codec);
    mem_free(g->codec);
    buf_fini(&g->cors);
    mem_free(g);
}

/* ---- answers ---- */

/* Pages of an allowed origin may read the answers (Fetch, CORS), as they may open WebSockets. */
static void read_origin(struct guest *g, const struct http_request *r)
{
    struct span origin = http_header(r, "Origin");

    buf_clear(&g->cors);
    if (!origin.at || !g->lobby->conf.may_come(g->lobby->conf.owner, r))
        return;
    http_put_header(&g->cors, "Access-Control-Allow-Origin", origin);
    buf_puts(&g->cors, "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n");
}

static void send_or_drop(struct guest *g, struct span bytes)
{
    if (conn_send(g->conn, bytes) < 0)
        conn_destroy(g->conn, GW_EFULL);
}

/* What is relayed came over a connection that now leads here for ever, and its next request may be
 * for another process: a browser's other tab, or anybody's behind a proxy. */
void guest_answer(struct guest *g, int status, const char *text, bool is_last)
{
    struct buf *out = &g->lobby->text;

    is_last = is_last || g->is_relayed;
    buf_clear(out);
    http_put_status(out, status, clock_wall_s());
    buf_put_span(out, buf_span(&g->cors));
    if (status != 204)
        buf_printf(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n",
                   strlen(text));
    buf_printf(out, "Cache-Control: no-store\r\n%s\r\n%s", is_last ? "Connection: close\r\n" : "",
               status != 204 ? text : "");
    send_or_drop(g, buf_span(out));
    if (is_last)
        conn_close(g->conn);
    else
        conn_set_deadline(g->conn, IDLE_MS);
}

void guest_begin_stream(struct guest *g, struct session *s)
{
    struct buf *out = &g->lobby->text;

    g->stream_of = s;
    conn_set_deadline(g->conn, 0);
    buf_clear(out);
    http_put_status(out, 200, clock_wall_s());
    buf_put_span(out, buf_span(&g->cors));
    buf_puts(out, "Content-Type: text/event-stream\r\nCache-Control: no-store\r\n"
                  "X-Accel-Buffering: no\r\nConnection: close\r\n\r\n");
    send_or_drop(g, buf_span(out));
}

/* ---- requests ---- */

static bool ends_with(struct span path, const char *end)
{
    size_t len = strlen(end);

    return path.len >= len && memcmp(path.at + path.len - len, end, len) == 0;
}

static bool is_stream(const struct http_request *r)
{
    return span_is(r->method, "GET") && ends_with(r->path, "/sse") && !http_header(r, "upgrade").at;
}

static bool is_post(const struct http_request *r)
{
    return span_is(r->method, "POST") && ends_with(r->path, "/send");
}

static bool is_preflight(const struct http_request *r)
{
    return span_is(r->method, "OPTIONS") &&
           (ends_with(r->path, "/sse") || ends_with(r->path, "/send"));
}

static void answer_preflight(struct guest *g)
{
    buf_puts(&g->cors, "Access-Control-Allow-Methods: GET, POST\r\n"
                       "Access-Control-Allow-Headers: content-type, last-event-id\r\n"
                       "Access-Control-Max-Age: 600\r\n");
    guest_answer(g, 204, "", false);
}

static struct session *session_of(struct guest *g, const struct http_request *r)
{
    return map_get(g->lobby->sessions, session_param(r, "session"));
}

static void handle(struct guest *g, const struct http_request *r, struct span body)
{
    struct lobby *l = g->lobby;
    struct session *s = session_of(g, r);

    g->has_asked = true;
    read_origin(g, r);
    if (!l->conf.may_come(l->conf.owner, r))
        guest_answer(g, 403, "Pages of this origin may not connect here.\n", true);
    else if (is_preflight(r))
        answer_preflight(g);
    else if (is_stream(r) && session_param(r, "session").len == 0)
        session_begin(g, r);
    else if (!s)
        guest_answer(g, 404, "There is no such session.\n", false);
    else if (is_stream(r))
        session_resume(s, g, r);
    else if (is_post(r))
        session_post(s, g, r, body);
    else
        guest_answer(g, 404, "There is nothing here.\n", true);
}

/* ---- bytes ---- */

enum look { LOOK_WAITS, LOOK_OURS, LOOK_GONE };

/* Decides about the request at the front. LOOK_GONE: the connection is somebody else's now. */
static enum look look_at(struct guest *g, struct span in)
{
    struct lobby *l = g->lobby;
    struct http_request r;
    ssize_t n = http_resume_request(in, l->conf.max_head_bytes, &g->searched, &r);

    if (n == 0)
        return LOOK_WAITS;
    g->searched = 0;
    bool is_ours = n > 0 && (is_stream(&r) || is_post(&r) || is_preflight(&r));
    if (!is_ours && !g->has_asked && !g->is_relayed && !l->is_closing) {
        struct conn *c = g->conn;
        guest_let_go(g);
        l->conf.on_other(l->conf.owner, c);
        return LOOK_GONE;
    }
    if (is_ours && !g->is_relayed && relay_take(g, session_param(&r, "session")))
        return LOOK_GONE;
    return LOOK_OURS; /* or refused by the codec */
}

/* "IP:PORT\n", from the process that relays. 0: more is needed. */
static ssize_t take_peer(struct guest *g, struct span in)
{
    struct span rest = in;
    struct addr peer;
    char text[PEER_LINE_MAX];

    if (span_find(in, '\n') < 0)
        return in.len < sizeof text ? 0 : GW_EPROTO;
    struct span line = span_cut(&rest, '\n');
    if (line.len >= sizeof text)
        return GW_EPROTO;
    memcpy(text, line.at, line.len);
    text[line.len] = '\0';
    if (addr_parse(text, &peer) == 0)
        conn_set_peer(g->conn, &peer);
    g->awaits_peer = false;
    return (ssize_t)line.len + 1;
}

/* One request, as far as it is there. Returns the bytes used, 0 for none, or < 0. */
static ssize_t take_request(struct guest *g, uint8_t *at, size_t len)
{
    struct codec_conf conf = {.message_max_bytes =
                                  g->lobby->conf.max_message_bytes + LOBBY_POST_ROOM_BYTES,
                              .head_max_bytes = g->lobby->conf.max_head_bytes};
    struct buf *reply = conn_pool_buf(conn_pool_of(g->conn));
    struct codec_event ev;

    buf_clear(reply);
    g->is_inside = true;
    ssize_t n = http_codec.decode(g->codec, &conf, at, len, &ev, reply);
    if (reply->len > 0)
        send_or_drop(g, buf_span(reply));
    if (n < 0 || ev.kind != CODEC_MESSAGE)
        return n;
    bool is_last = !ev.request->is_keep_alive;
    g->is_inside = false;
    handle(g, ev.request, ev.payload);
    if (is_last && !g->stream_of && !session_awaits(g))
        conn_close(g->conn);
    (void)http_codec.decode(g->codec, &conf, at, 0, &ev, reply);
    return n;
}

static ssize_t on_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    struct guest *g = owner;
    size_t used = 0;

    while (used < len && !conn_is_closing(c)) {
        ssize_t n;
        if (g->stream_of || session_awaits(g))
            return (ssize_t)len; /* nobody waits for more requests on a stream */
        if (g->awaits_peer) {
            n = take_peer(g, span_of(at + used, len - used));
        } else {
            if (!g->is_inside) {
                enum look look = look_at(g, span_of(at + used, len - used));
                if (look != LOOK_OURS)
                    return (ssize_t)used;
            }
            n = take_request(g, at + used, len - used);
        }
        if (n <= 0)
            return n < 0 ? n : (ssize_t)used;
        used += (size_t)n;
    }
    return conn_is_closing(c) ? (ssize_t)len : (ssize_t)used;
}

static void on_open(struct conn *c, void *owner)
{
    struct guest *g = owner;

    conn_set_deadline(c, g->lobby->conf.request_timeout_ms);
}

static void on_drain(struct conn *c, void *owner)
{
    struct guest *g = owner;

    (void)c;
    if (g->stream_of)
        session_drained(g->stream_of);
}

static void on_deadline(struct conn *c, void *owner)
{
    struct guest *g = owner;

    if (g->has_asked && !g->is_inside)
        conn_close(c);
    else
        guest_answer(g, 408, "The request took too long.\n", true);
}

static void on_close(struct conn *c, void *owner, int why)
{
    struct guest *g = owner;

    (void)c;
    (void)why;
    session_lost(g);
    guest_let_go(g);
}

/* For those that turn out to be WebSocket clients. */
static size_t room_bytes(const struct conn_conf *conf)
{
    (void)conf;
    return chan_room_bytes(&ws_codec);
}

static const struct conn_events guest_events = {.room_bytes = room_bytes,
                                                .on_open = on_open,
                                                .on_bytes = on_bytes,
                                                .on_drain = on_drain,
                                                .on_deadline = on_deadline,
                                                .on_close = on_close};

void guest_new(struct lobby *l, int fd, const struct addr *peer, const struct transport *transport,
               void *transport_state, bool is_relayed)
{
    struct guest *g = mem_zalloc(sizeof *g);

    g->lobby = l;
    g->is_relayed = g->awaits_peer = is_relayed;
    g->codec = mem_zalloc(http_codec.state_bytes);
    list_append(&l->guests, &g->node);
    g->conn = conn_new(l->conf.conns, fd, peer, transport, transport_state, &l->conn_conf,
                       &guest_events, g);
    if (g->conn) {
        if (!is_relayed)
            count(g);
        return;
    }
    log_warn("a connection could not be taken: %s", strerror(errno));
    guest_let_go(g);
}
