/* A channel's input: what the connection tells, through the codec, to the owner. */
#include <gw/err.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "chan/chan_internal.h"
#include "proto/http.h"
#include "proto/tls_hello.h"

static void send_reply(struct chan *ch, struct buf *reply)
{
    /* A peer that asks without reading the answers fills the queue; it gets no more of them. */
    if (reply->len && conn_send(chan_conn(ch), buf_span(reply)) == GW_EFULL)
        conn_close_for(chan_conn(ch), GW_EFULL);
    buf_clear(reply);
}

static void drop_extra(struct chan *ch)
{
    struct chan_extra *e = ch->extra;
    buf_fini(&e->answer);
    buf_fini(&e->lines);
    buf_fini(&e->output);
    mem_free(e);
    ch->extra = NULL;
}

static void send_pending(struct chan *ch)
{
    if (!ch->extra)
        return;
    send_reply(ch, &ch->extra->output);
    if (!ch->extra->hook)
        drop_extra(ch);
}

void chan_end_refused(struct chan *ch)
{
    send_pending(ch);
    conn_close(chan_conn(ch));
}

/* The answer's head ends in an empty line; more header lines come before that. */
static void add_lines(struct chan *ch, struct buf *reply)
{
    static const char end[] = "\r\n";
    if (!ch->extra || ch->extra->lines.len == 0 || reply->len < strlen(end))
        return;
    reply->len -= strlen(end);
    buf_put_span(reply, buf_span(&ch->extra->lines));
    buf_puts(reply, end);
}

void chan_answer(struct chan *ch, struct buf *reply)
{
    add_lines(ch, reply);
    ch->flags |= CHAN_ANSWERED;
    send_reply(ch, reply);
    send_pending(ch);
    /* chan_close() was called in on_open. */
    if (ch->flags & CHAN_AWAITS_GOODBYE)
        chan_await_goodbye(ch);
    else if (ch->flags & CHAN_CLOSING)
        conn_close(chan_conn(ch));
}

/* The owner sees the request first and may refuse it, or think about it; then the answer leaves,
 * then what the owner has sent meanwhile. */
static void handle_open(struct chan *ch, const struct codec_event *ev, struct buf *reply)
{
    if (ch->flags & CHAN_OPEN)
        return;
    ch->flags |= CHAN_OPEN;
    conn_set_deadline(chan_conn(ch), 0);
    if (ch->kind->events->on_open)
        ch->kind->events->on_open(ch, chan_owner(ch), ev);
    if (ch->flags & CHAN_REFUSED) {
        chan_end_refused(ch);
    } else if (ch->flags & CHAN_HELD) {
        buf_put_span(&chan_extra_of(ch)->answer, buf_span(reply));
        buf_clear(reply);
    } else {
        chan_answer(ch, reply);
    }
}

/* RFC 6455 §5.5.1: a goodbye is answered by one, unless ours was the first. */
static void handle_goodbye(struct chan *ch, const struct codec_event *ev, struct buf *reply)
{
    ch->close_code = ev->close_code;
    if (ch->kind->events->on_goodbye)
        ch->kind->events->on_goodbye(ch, chan_owner(ch), ev);
    if (ch->flags & CHAN_AWAITS_GOODBYE) {
        conn_close(chan_conn(ch));
        return;
    }
    ch->flags |= CHAN_CLOSING;
    send_reply(ch, reply);
    conn_close_for(chan_conn(ch), GW_ECLOSED);
}

static void handle(struct chan *ch, const struct codec_event *ev, struct buf *reply)
{
    const struct chan_events *events = ch->kind->events;
    bool is_closing = ch->flags & CHAN_CLOSING;
    if (ev->kind == CODEC_CLOSE)
        handle_goodbye(ch, ev, reply);
    else if (is_closing)
        return; /* only the goodbye is awaited */
    else if (ev->kind == CODEC_OPEN)
        handle_open(ch, ev, reply);
    else if (ev->kind == CODEC_MESSAGE)
        events->on_message(ch, chan_owner(ch), ev);
    else if (ev->kind == CODEC_CONTROL && events->on_control)
        events->on_control(ch, chan_owner(ch));
    /* The owner may have closed the channel; what the codec answers is then for nobody. */
    if (!chan_is_closing(ch))
        send_reply(ch, reply);
}

enum { POSTPONE_MAX_MS = 1000 };

/* Nothing more is read; what answers earlier messages still goes out in front of the farewell. */
static bool postpone(struct chan *ch, struct buf *farewell, ssize_t why)
{
    const struct chan_events *events = ch->kind->events;
    if (!events->on_broken || !chan_is_open(ch) || !events->on_broken(ch, chan_owner(ch)))
        return false;
    buf_put_span(&chan_extra_of(ch)->answer, buf_span(farewell));
    buf_clear(farewell);
    ch->why = (int16_t)why;
    ch->flags |= CHAN_POSTPONED;
    conn_pause(chan_conn(ch));
    conn_set_deadline(chan_conn(ch), POSTPONE_MAX_MS);
    return true;
}

void chan_finish(struct chan *ch)
{
    if (!(ch->flags & CHAN_POSTPONED) || chan_is_closing(ch))
        return;
    ch->flags |= CHAN_CLOSING;
    send_reply(ch, &ch->extra->answer);
    conn_resume(chan_conn(ch));
    conn_close_for(chan_conn(ch), ch->why);
}

/* The codec gave up on the peer: its farewell leaves, then the connection ends with the reason. */
static ssize_t give_up(struct chan *ch, struct buf *reply, ssize_t why, size_t len)
{
    bool is_closing = ch->flags & CHAN_CLOSING;
    if (postpone(ch, reply, why))
        return (ssize_t)len;
    ch->flags |= CHAN_CLOSING;
    if (!is_closing)
        send_reply(ch, reply);
    return why;
}

/* Only protocols of text are sure that no message of theirs begins like that. */
static bool is_tls_client(struct chan *ch, struct span in)
{
    static struct log_rate rate;
    const struct codec *codec = ch->kind->codec;
    char from[ADDR_TEXT_MAX];
    if (ch->flags & CHAN_NO_TLS)
        return false;
    if (!tls_hello_is(in) || (!codec->has_handshake && codec != &text_codec)) {
        ch->flags |= CHAN_NO_TLS;
        return false;
    }
    addr_text(conn_peer(chan_conn(ch)), from);
    log_limited(&rate, LOG_INFO, "%s speaks TLS at a %s port without tls_cert", from, codec->name);
    return true;
}

static ssize_t on_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    struct chan *ch = conn_room(c);
    if (is_tls_client(ch, span_of(at, len))) {
        ch->flags |= CHAN_CLOSING;
        int rc = conn_send(c, tls_hello_refusal());
        return rc < 0 ? rc : GW_EPROTO;
    }
    const struct chan_kind *kind = ch->kind;
    struct buf *reply = conn_pool_buf(conn_pool_of(c));
    size_t used = 0;
    while (!conn_is_closing(c)) {
        struct codec_event ev = {.kind = CODEC_NOTHING};
        /* After a pause the rest comes again. The call without bytes lets the codec give back the
         * memory of its last event, if it lent any; so does one that answers 0. */
        size_t more = conn_is_paused(c) ? 0 : len - used;
        buf_clear(reply);
        ssize_t n =
            kind->codec->decode(ch->codec_state, &kind->codec_conf, at + used, more, &ev, reply);
        if (n == GW_EREFUSED && ev.close_code != 0)
            ch->close_code = ev.close_code;
        if (n < 0)
            return give_up(ch, reply, n, len);
        used += (size_t)n;
        handle(ch, &ev, reply);
        if (n == 0 || (ev.is_in_input && used == len))
            break;
    }
    return (ssize_t)used;
}

static void on_conn_open(struct conn *c, void *owner)
{
    struct chan *ch = conn_room(c);
    if (ch->kind->codec->has_handshake) {
        struct span greeting = ch->kind->codec_conf.greeting;
        if (greeting.len && conn_send(c, greeting) < 0)
            conn_destroy(c, GW_EFULL);
        conn_set_deadline(c, ch->kind->open_timeout_ms);
        return;
    }
    struct codec_event ev = {.kind = CODEC_OPEN};
    handle_open(ch, &ev, conn_pool_buf(conn_pool_of(c)));
}

static void on_deadline(struct conn *c, void *owner)
{
    struct chan *ch = conn_room(c);
    if (ch->flags & CHAN_AWAITS_GOODBYE) {
        conn_close(c);
        return;
    }
    if (ch->flags & CHAN_POSTPONED) {
        chan_finish(ch);
        return;
    }
    if (ch->flags & CHAN_HELD) {
        chan_refuse(ch, 503, "Nobody has judged this handshake in time.");
        return;
    }
    struct buf *reply = conn_pool_buf(conn_pool_of(c));
    ch->flags |= CHAN_CLOSING;
    http_put_error(reply, 408, "the request took too long", clock_wall_s());
    send_reply(ch, reply);
    conn_close_for(c, GW_ETIMEOUT);
}

static void on_conn_drain(struct conn *c, void *owner)
{
    struct chan *ch = conn_room(c);
    if (ch->kind->events->on_drain)
        ch->kind->events->on_drain(ch, owner);
}

static void on_conn_close(struct conn *c, void *owner, int why)
{
    struct chan *ch = conn_room(c);
    if (ch->flags & CHAN_AWAITS_GOODBYE)
        why = 0; /* we said goodbye: however the peer ended, it is the answer to ours */
    ch->kind->events->on_close(ch, owner, why, ch->close_code);
    if (ch->extra && ch->extra->hook)
        ch->extra->hook->on_end(ch->extra->hook);
    if (ch->extra)
        drop_extra(ch);
    if (ch->kind->codec->fini)
        ch->kind->codec->fini(ch->codec_state);
}

/* The conf of a channel's connection lies in its kind. */
static size_t room_bytes(const struct conn_conf *conf)
{
    return chan_room_bytes(CONTAINER_OF_CONST(conf, struct chan_kind, conn_conf)->codec);
}

const struct conn_events chan_conn_events = {
    .room_bytes = room_bytes,
    .on_open = on_conn_open,
    .on_bytes = on_bytes,
    .on_drain = on_conn_drain,
    .on_close = on_conn_close,
    .on_deadline = on_deadline,
};
