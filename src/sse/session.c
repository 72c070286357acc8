/* Events are numbered and kept until they are known to have arrived, or until replay_bytes of later
 * ones lie behind them. A browser that comes back names the last one that it has: either all that
 * follow are there, or it is told that they are not. Messages from the browser are numbered
 * too, so that one that is posted again is taken once. */
#include "sse/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "chan/chan.h"
#include "proto/sse.h"
#include "proto/ws_client.h"
#include "sse/guest.h"
#include "sse/lobby.h"

enum {
    ID_SLOT_DIGITS = 4,
    ID_RANDOM = 16,
    ID_LEN = ID_SLOT_DIGITS + 2 * ID_RANDOM,
    BEAT_MS = 15 * 1000, /* proxies end what is silent for a minute or half of one */
    STREAM_HIGH_BYTES = 256 * 1024,
    STREAM_LOW_BYTES = 64 * 1024,
};

/* In front of each event's bytes in session.kept. */
struct kept {
    uint64_t number;
    uint32_t len;
    bool is_binary;
};

struct session {
    char id[ID_LEN + 1];
    struct lobby *lobby;
    struct chan *bridge; /* to the gateway; NULL after its end */
    struct chan_kind kind;
    struct buf greeting;
    struct guest *stream;   /* NULL: away */
    struct guest *awaiting; /* its answer follows the handshake */
    struct buf kept;
    uint64_t first_n;       /* number of the first kept */
    uint64_t last_n;        /* of the last that came from the gateway */
    uint64_t sent_n;        /* of the last that went into a stream */
    uint64_t received_n;    /* messages from the browser */
    struct task free_later; /* the channel still looks at kind when it tells of its end */
    struct timer away;      /* the browser has that long to come back */
    struct timer beat;
    bool is_open;
    bool is_held; /* the bridge is not read from: the stream is slow, or away for long */
    uint16_t close_code;
    struct buf reason;
};

/* ---- requests ---- */

struct span session_param(const struct http_request *r, const char *name)
{
    struct span rest = r->query;

    while (rest.len > 0) {
        struct span pair = span_cut(&rest, '&');
        if (span_is(span_cut(&pair, '='), name) && pair.at)
            return pair;
    }
    return span_of("", 0);
}

/* The number of a parameter, or `absent`. */
static uint64_t number_of(const struct http_request *r, const char *name, uint64_t absent)
{
    uint64_t n;

    return span_to_u64(session_param(r, name), &n) ? n : absent;
}

bool session_slot(struct span id, unsigned *slot)
{
    *slot = 0;
    for (size_t i = 0; i < ID_SLOT_DIGITS; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = id.len == ID_LEN ? memchr(digits, id.at[i], sizeof digits - 1) : NULL;
        if (!digit)
            return false;
        *slot = *slot << 4 | (unsigned)(digit - digits);
    }
    return true;
}

bool session_awaits(const struct guest *g)
{
    return g->awaited;
}

/* ---- events that are kept ---- */

static struct kept kept_at(const struct buf *b, size_t off)
{
    struct kept k;

    memcpy(&k, b->at + off, sizeof k);
    return k;
}

static void drop_first(struct session *s)
{
    struct kept k = kept_at(&s->kept, 0);

    buf_consume(&s->kept, sizeof k + k.len);
    s->first_n = k.number + 1;
}

/* What the browser has said it has. */
static void forget(struct session *s, uint64_t arrived_n)
{
    while (s->kept.len > 0 && s->first_n <= arrived_n && arrived_n <= s->sent_n)
        drop_first(s);
}

/* Events that were not sent yet are never dropped: the bridge is held before there are too many. */
static void trim(struct session *s)
{
    while (s->kept.len > s->lobby->conf.replay_bytes && s->first_n <= s->sent_n)
        drop_first(s);
}

static void attach(struct session *s, struct guest *g);

static void hold(struct session *s, bool is_on)
{
    if (s->is_held == is_on || !s->bridge)
        return;
    s->is_held = is_on;
    if (is_on)
        conn_pause(chan_conn(s->bridge));
    else
        conn_resume(chan_conn(s->bridge));
}

static void send_to_stream(struct session *s, struct span bytes)
{
    struct conn *c = s->stream->conn;

    if (conn_send(c, bytes) < 0)
        conn_destroy(c, GW_EFULL);
    else if (conn_queued(c) >= STREAM_HIGH_BYTES)
        hold(s, true);
    if (s->is_held)
        conn_want_drain(c, STREAM_LOW_BYTES);
}

static void send_unsent(struct session *s)
{
    struct buf *out = &s->lobby->text;

    for (size_t off = 0; s->stream && off < s->kept.len;) {
        struct kept k = kept_at(&s->kept, off);
        off += sizeof k;
        if (k.number > s->sent_n) {
            buf_clear(out);
            sse_put_message(out, k.number, span_of(s->kept.at + off, k.len), k.is_binary);
            s->sent_n = k.number;
            send_to_stream(s, buf_span(out));
        }
        off += k.len;
    }
    trim(s);
}

void session_drained(struct session *s)
{
    hold(s, false);
}

/* ---- the end ---- */

static void free_now(struct task *t)
{
    struct session *s = CONTAINER_OF(t, struct session, free_later);

    buf_fini(&s->greeting);
    buf_fini(&s->kept);
    buf_fini(&s->reason);
    mem_free(s);
}

static void end(struct session *s)
{
    struct loop *loop = conn_pool_loop(s->lobby->conf.conns);

    timer_stop(loop, &s->away);
    timer_stop(loop, &s->beat);
    (void)map_remove(s->lobby->sessions, span_str(s->id));
    s->free_later.run = free_now;
    loop_at_end(loop, &s->free_later);
}

/* The bridge has ended: the browser learns how. */
static void say_goodbye(struct session *s)
{
    struct buf *out = &s->lobby->text;
    char code[16];

    if (!s->stream)
        return;
    snprintf(code, sizeof code, "%u ", s->close_code);
    buf_clear(out);
    buf_puts(out, "event: close\ndata: ");
    buf_puts(out, code);
    for (size_t i = 0; i < s->reason.len; i++) /* a reason is one line */
        buf_putc(out, s->reason.at[i] < ' ' ? ' ' : s->reason.at[i]);
    buf_puts(out, "\n\n");
    send_to_stream(s, buf_span(out));
    s->stream->stream_of = NULL;
    conn_close(s->stream->conn);
    s->stream = NULL;
}

static void on_bridge_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    struct session *s = owner;

    (void)ch;
    s->bridge = NULL;
    s->close_code = close_code;
    if (s->awaiting) {
        bool is_refused = why == GW_EREFUSED;
        struct guest *g = s->awaiting;
        bool has_status = close_code >= 400 && close_code <= 599; /* the module's own */
        g->awaited = NULL;
        guest_answer(g,
                     !is_refused  ? 503
                     : has_status ? close_code
                                  : 403,
                     is_refused ? "The connection was refused.\n" : "The service is full.\n", true);
    }
    say_goodbye(s);
    end(s);
}

/* ---- the bridge ---- */

static void on_bridge_open(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct session *s = owner;
    struct guest *g = s->awaiting;

    (void)ev;
    s->is_open = true;
    s->awaiting = NULL;
    if (!g) {
        chan_destroy(ch, GW_ECLOSED); /* the browser left meanwhile */
        return;
    }
    g->awaited = NULL;
    attach(s, g);
}

static void on_bridge_message(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct session *s = owner;
    struct kept k = {
        .number = ++s->last_n, .len = (uint32_t)ev->payload.len, .is_binary = ev->is_binary};

    (void)ch;
    buf_put(&s->kept, &k, sizeof k);
    buf_put_span(&s->kept, ev->payload);
    send_unsent(s);
    if (!s->stream && s->kept.len >= s->lobby->conf.replay_bytes)
        hold(s, true);
}

static void on_bridge_goodbye(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct session *s = owner;

    (void)ch;
    buf_clear(&s->reason);
    buf_put_span(&s->reason, ev->payload);
}

static const struct chan_events bridge_events = {.on_open = on_bridge_open,
                                                 .on_message = on_bridge_message,
                                                 .on_goodbye = on_bridge_goodbye,
                                                 .on_close = on_bridge_close};

static void on_away(struct timer *t)
{
    struct session *s = CONTAINER_OF(t, struct session, away);

    if (s->bridge)
        chan_destroy(s->bridge, GW_ETIMEOUT); /* as a WebSocket that broke off */
}

static void on_beat(struct timer *t)
{
    struct session *s = CONTAINER_OF(t, struct session, beat);

    if (s->stream)
        send_to_stream(s, span_str(":\n\n"));
    timer_start(conn_pool_loop(s->lobby->conf.conns), t, BEAT_MS);
}

/* ---- streams ---- */

static void attach(struct session *s, struct guest *g)
{
    struct buf told = {0};

    timer_stop(conn_pool_loop(s->lobby->conf.conns), &s->away);
    if (s->stream) { /* the browser has given it up; we have not seen that yet */
        s->stream->stream_of = NULL;
        conn_destroy(s->stream->conn, GW_ECLOSED);
    }
    s->stream = g;
    guest_begin_stream(g, s);
    hold(s, false);
    buf_printf(&told, "{\"session\":\"%s\",\"received\":%llu,\"resume_ms\":%llu}", s->id,
               (unsigned long long)s->received_n, (unsigned long long)s->lobby->conf.resume_ms);
    struct buf *out = &s->lobby->text;
    buf_clear(out);
    sse_put_event(out, "open", buf_span(&told));
    buf_fini(&told);
    send_to_stream(s, buf_span(out));
    send_unsent(s);
}

void session_resume(struct session *s, struct guest *g, const struct http_request *r)
{
    uint64_t last;

    if (!span_to_u64(http_header(r, "Last-Event-ID"), &last))
        last = number_of(r, "last", 0);
    if (!s->is_open || last + 1 < s->first_n || last > s->sent_n) {
        guest_answer(g, 410, "The events behind the last one are not there any more.\n", false);
        return;
    }
    forget(s, last);
    s->sent_n = last;
    attach(s, g);
}

void session_lost(struct guest *g)
{
    struct session *s = g->stream_of;

    if (g->awaited) {
        g->awaited->awaiting = NULL;
        if (g->awaited->bridge)
            chan_destroy(g->awaited->bridge, GW_ECLOSED);
        return;
    }
    if (!s || s->stream != g)
        return;
    s->stream = NULL;
    timer_start(conn_pool_loop(s->lobby->conf.conns), &s->away, s->lobby->conf.resume_ms);
}

/* ---- messages from the browser ---- */

/* Takes what was not taken before. 0, GW_EPROTO, or GW_EFULL: the rest must come again. */
static int take_messages(struct session *s, uint64_t number, struct span body)
{
    struct sse_message m;
    int rc;

    while ((rc = sse_next_message(&body, &m)) > 0) {
        if (number++ <= s->received_n)
            continue;
        rc = chan_send(s->bridge, m.payload, m.is_binary);
        if (rc < 0)
            return rc;
        s->received_n++;
    }
    return rc;
}

void session_post(struct session *s, struct guest *g, const struct http_request *r,
                  struct span body)
{
    uint64_t number = number_of(r, "n", s->received_n + 1);
    uint64_t code = number_of(r, "close", 0);

    forget(s, number_of(r, "last", 0));
    if (!s->is_open || number > s->received_n + 1) {
        guest_answer(g, 409, "Messages before these are missing.\n", false);
        return;
    }
    int rc = take_messages(s, number, body);
    if (rc == GW_EPROTO)
        guest_answer(g, 400, "The body is not made of messages.\n", true);
    else if (rc < 0)
        guest_answer(g, 503, "Too much at once; send it again.\n", false);
    else
        guest_answer(g, 204, "", false);
    if (rc == 0 && code > 0 && code <= UINT16_MAX)
        chan_close(s->bridge, (uint16_t)code, span_str(""));
}

/* ---- the beginning ---- */

/* Lines of the browser's request that are about its own connection, or would ask for what a bridge
 * does not speak. */
static bool is_dropped(struct span name)
{
    static const char *const dropped[] = {"connection",     "keep-alive",   "te",
                                          "upgrade",        "accept",       "transfer-encoding",
                                          "content-length", "last-event-id"};

    for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
        if (span_eq_nocase(name, dropped[i]))
            return true;
    return name.len >= 14 && span_eq_nocase(span_of(name.at, 14), "sec-websocket-");
}

/* The browser's request as a WebSocket handshake: workers see its path, query, headers, cookies. */
static void put_greeting(struct session *s, const struct http_request *r)
{
    struct buf *out = &s->greeting;

    ws_put_request(out, http_header(r, "Host"), r->target);
    out->len -= 2; /* the empty line comes later */
    for (size_t i = 0; i < r->headers_n; i++) {
        const struct http_header *h = &r->headers[i];
        if (is_dropped(h->name) || span_eq_nocase(h->name, "host"))
            continue;
        buf_put_span(out, h->name);
        buf_puts(out, ": ");
        buf_put_span(out, h->value);
        buf_puts(out, "\r\n");
    }
    buf_puts(out, "\r\n");
}

static void make_id(struct session *s)
{
    uint8_t random[ID_RANDOM];

    crypto_random(random, sizeof random);
    snprintf(s->id, sizeof s->id, "%04x", (unsigned)s->lobby->conf.slot & 0xffffU);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(s->id + ID_SLOT_DIGITS + 2 * i, 3, "%02x", random[i]);
}

static int build_bridge(struct session *s, const struct guest *g)
{
    const struct lobby_conf *conf = &s->lobby->conf;
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
        return -errno;
    s->bridge =
        chan_new(conf->conns, fds[1], conn_peer(g->conn), &plain_transport, NULL, &s->kind, s);
    if (!s->bridge) {
        int rc = -errno;
        close(fds[0]);
        return rc;
    }
    conf->on_client(conf->owner, fds[0], conn_peer(g->conn), &plain_transport, NULL);
    return 0;
}

void session_begin(struct guest *g, const struct http_request *r)
{
    struct lobby *l = g->lobby;
    struct session *s = mem_zalloc(sizeof *s);

    s->lobby = l;
    s->first_n = 1;
    s->away.fire = on_away;
    s->beat.fire = on_beat;
    make_id(s);
    put_greeting(s, r);
    s->kind = (struct chan_kind){
        .codec = &ws_client_codec,
        .codec_conf = {.greeting = buf_span(&s->greeting)},
        /* Messages that wait for the gateway, which may not read a client that is too fast. */
        .conn_conf = {.out_max_bytes = 2 * l->conf.max_message_bytes + LOBBY_POST_ROOM_BYTES,
                      .close_timeout_ms = l->conn_conf.close_timeout_ms},
        .events = &bridge_events,
        .open_timeout_ms = l->conf.request_timeout_ms,
    };
    map_set(l->sessions, span_str(s->id), s);
    int rc = build_bridge(s, g);
    if (rc < 0) {
        log_warn("a fallback client could not be taken: %s", strerror(-rc));
        guest_answer(g, 503, "The service is full.\n", true);
        end(s);
        return;
    }
    s->awaiting = g;
    g->awaited = s;
    conn_set_deadline(g->conn, 0);
    timer_start(conn_pool_loop(l->conf.conns), &s->beat, BEAT_MS);
}
