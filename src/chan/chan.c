/* A connection that speaks a codec: birth, messages out, goodbye. */
#include "chan/chan.h"

#include <stddef.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/mem.h"
#include "chan/chan_internal.h"
#include "proto/http.h"

enum { GOODBYE_DEFAULT_MS = 5000 };

/* --- birth --- */

size_t chan_room_bytes(const struct codec *codec)
{
    size_t pointers_n = (codec->state_bytes + sizeof(void *) - 1) / sizeof(void *);
    return sizeof(struct chan) + pointers_n * sizeof(void *);
}

static struct chan *prepare(struct conn *c, const struct chan_kind *kind)
{
    struct chan *ch = conn_room(c);
    const struct codec *codec = kind->codec;
    ch->kind = kind;
    ch->close_code = 1006; /* RFC 6455 §7.1.5: no goodbye was received */
    if (!codec->has_handshake)
        ch->flags = CHAN_ANSWERED;
    if (codec->init)
        codec->init(ch->codec_state);
    return ch;
}

struct chan *chan_new(struct conn_pool *p, int fd, const struct addr *peer,
                      const struct transport *transport, void *transport_state,
                      const struct chan_kind *kind, void *owner)
{
    struct conn *c = conn_new(p, fd, peer, transport, transport_state, &kind->conn_conf,
                              &chan_conn_events, owner);
    return c ? prepare(c, kind) : NULL;
}

struct chan *chan_dial_over(struct conn_pool *p, const struct addr *to,
                            const struct transport *transport, void *transport_state,
                            const struct chan_kind *kind, void *owner)
{
    struct conn *c = conn_dial_over(p, to, transport, transport_state, &kind->conn_conf,
                                    &chan_conn_events, owner);
    return c ? prepare(c, kind) : NULL;
}

struct chan *chan_dial(struct conn_pool *p, const struct addr *to, const struct chan_kind *kind,
                       void *owner)
{
    return chan_dial_over(p, to, &plain_transport, NULL, kind, owner);
}

struct chan *chan_adopt(struct conn *c, const struct chan_kind *kind, void *owner)
{
    struct chan *ch = prepare(c, kind);
    conn_adopt(c, &kind->conn_conf, &chan_conn_events, owner);
    chan_conn_events.on_open(c, owner);
    return ch;
}

/* --- messages out --- */

struct chan_extra *chan_extra_of(struct chan *ch)
{
    if (!ch->extra)
        ch->extra = mem_zalloc(sizeof *ch->extra);
    return ch->extra;
}

/* Whether so much output may be accepted now: 0 or the error. */
static int may_send(struct chan *ch, size_t len)
{
    if (UNLIKELY(ch->flags & CHAN_CLOSING))
        return GW_ECLOSED;
    if (LIKELY(ch->flags & CHAN_ANSWERED))
        return conn_admits(chan_conn(ch), len);
    if (conn_is_closing(chan_conn(ch)))
        return GW_ECLOSED;
    uint64_t limit = ch->kind->conn_conf.out_max_bytes;
    return limit && ch->extra && ch->extra->output.len >= limit ? GW_EFULL : 0;
}

uint8_t chan_variant(const struct chan *ch)
{
    const struct codec *codec = ch->kind->codec;
    bool has_variant = codec->variant && ch->flags & CHAN_ANSWERED;
    return has_variant ? codec->variant(ch->codec_state) : CODEC_PLAIN;
}

size_t chan_encode_variant(struct chan *ch, uint8_t *to, struct span payload, bool is_binary)
{
    const struct chan_kind *kind = ch->kind;
    return kind->codec->encode_variant(ch->codec_state, &kind->codec_conf, to, payload, is_binary);
}

/* In the form that this channel's peer likes best. */
static size_t encode(struct chan *ch, uint8_t *to, struct span payload, bool is_binary)
{
    size_t n = 0;
    if (chan_variant(ch) != CODEC_PLAIN)
        n = chan_encode_variant(ch, to, payload, is_binary);
    return n > 0 ? n : ch->kind->codec->encode(to, payload, is_binary);
}

int chan_send(struct chan *ch, struct span payload, bool is_binary)
{
    size_t room = payload.len + CODEC_OVERHEAD_MAX;
    /* Before it is encoded: a codec that remembers what it sent must not encode in vain. */
    int rc = may_send(ch, room);
    if (rc < 0)
        return rc;
    if (payload.len > INT32_MAX)
        return GW_ETOOBIG;
    if (!(ch->flags & CHAN_ANSWERED)) {
        struct buf *b = &chan_extra_of(ch)->output;
        buf_commit(b, encode(ch, buf_reserve(b, room), payload, is_binary));
        return 0;
    }
    if (ch->kind->conn_conf.is_bulk) {
        uint8_t *to = conn_reserve(chan_conn(ch), room);
        if (!to)
            return GW_ECLOSED;
        conn_commit(chan_conn(ch), encode(ch, to, payload, is_binary));
        return 0;
    }
    struct chunk *chunk = conn_pool_scratch(conn_pool_of(chan_conn(ch)), room);
    uint32_t off = chunk->len;
    chunk->len += (uint32_t)encode(ch, chunk->at + off, payload, is_binary);
    conn_queue_admitted(chan_conn(ch), chunk, off, chunk->len - off);
    return 0;
}

int chan_queue(struct chan *ch, struct chunk *chunk, uint32_t off, uint32_t len)
{
    if (LIKELY((ch->flags & (CHAN_ANSWERED | CHAN_CLOSING)) == CHAN_ANSWERED))
        return conn_queue(chan_conn(ch), chunk, off, len);
    return chan_send_raw(ch, span_of(chunk->at + off, len));
}

int chan_send_raw(struct chan *ch, struct span bytes)
{
    int rc = may_send(ch, bytes.len);
    if (rc < 0)
        return rc;
    if (ch->flags & CHAN_ANSWERED)
        return conn_send(chan_conn(ch), bytes);
    buf_put_span(&chan_extra_of(ch)->output, bytes);
    return 0;
}

/* --- the handshake's answer --- */

void chan_refuse(struct chan *ch, int http_status, const char *text)
{
    bool is_held = ch->flags & CHAN_HELD;
    if (ch->flags & (CHAN_ANSWERED | CHAN_CLOSING))
        return;
    struct buf *answer = &chan_extra_of(ch)->output;
    buf_clear(answer); /* messages make no sense without a handshake */
    http_put_error(answer, http_status, text, clock_wall_s());
    ch->flags |= CHAN_REFUSED | CHAN_CLOSING;
    if (is_held)
        chan_end_refused(ch);
}

void chan_add_header(struct chan *ch, const char *name, struct span value)
{
    if (!(ch->flags & CHAN_ANSWERED))
        http_put_header(&chan_extra_of(ch)->lines, name, value);
}

void chan_hold(struct chan *ch)
{
    if (ch->flags & (CHAN_ANSWERED | CHAN_CLOSING | CHAN_HELD))
        return;
    ch->flags |= CHAN_HELD;
    conn_pause(chan_conn(ch));
    conn_set_deadline(chan_conn(ch), ch->kind->open_timeout_ms);
}

void chan_release(struct chan *ch)
{
    if (!chan_is_held(ch))
        return;
    ch->flags &= (uint8_t)~CHAN_HELD;
    conn_set_deadline(chan_conn(ch), 0);
    conn_resume(chan_conn(ch));
    if (ch->extra && ch->extra->answer.len)
        chan_answer(ch, &ch->extra->answer);
}

bool chan_is_held(const struct chan *ch)
{
    return ch->flags & CHAN_HELD && !chan_is_closing(ch);
}

/* --- goodbye --- */

static void append_goodbye(struct chan *ch, const uint8_t *goodbye, size_t len)
{
    buf_put(&chan_extra_of(ch)->output, goodbye, len);
    ch->flags |= CHAN_AWAITS_GOODBYE;
}

void chan_await_goodbye(struct chan *ch)
{
    uint64_t timeout_ms = ch->kind->conn_conf.close_timeout_ms;
    ch->flags |= CHAN_AWAITS_GOODBYE;
    conn_set_deadline(chan_conn(ch), timeout_ms ? timeout_ms : GOODBYE_DEFAULT_MS);
}

void chan_close(struct chan *ch, uint16_t code, struct span reason)
{
    const struct codec *codec = ch->kind->codec;
    uint8_t goodbye[CODEC_CLOSE_MAX];
    size_t len = 0;
    if (ch->flags & CHAN_CLOSING || conn_is_closing(chan_conn(ch)))
        return;
    if (code && codec->encode_close)
        len = codec->encode_close(goodbye, code, reason);
    if (ch->flags & CHAN_POSTPONED) {
        chan_finish(ch);
        return;
    }
    if (ch->flags & CHAN_HELD) {
        chan_refuse(ch, 503, "The service is not available.");
        return;
    }
    ch->flags |= CHAN_CLOSING;
    if (!(ch->flags & CHAN_ANSWERED)) {
        /* In on_open the handshake is answered first; before it there is nobody to say goodbye to.
         */
        if (!(ch->flags & CHAN_OPEN))
            conn_close(chan_conn(ch));
        else if (len)
            append_goodbye(ch, goodbye, len);
        return;
    }
    /* Over its limit the peer is slow: it gets what is queued and the end, but no goodbye. */
    if (len && conn_send(chan_conn(ch), span_of(goodbye, len)) == 0)
        chan_await_goodbye(ch);
    else
        conn_close(chan_conn(ch));
}

void chan_destroy(struct chan *ch, int why)
{
    ch->flags |= CHAN_CLOSING;
    conn_destroy(chan_conn(ch), why);
}

bool chan_is_open(const struct chan *ch)
{
    return (ch->flags & (CHAN_OPEN | CHAN_CLOSING)) == CHAN_OPEN && !conn_is_closing(chan_conn(ch));
}

bool chan_is_closing(const struct chan *ch)
{
    return ch->flags & CHAN_CLOSING || conn_is_closing(chan_conn(ch));
}

const struct chan_kind *chan_kind_of(const struct chan *ch)
{
    return ch->kind;
}

void *chan_owner(const struct chan *ch)
{
    return conn_owner(chan_conn(ch));
}

void chan_set_owner(struct chan *ch, void *owner)
{
    conn_set_owner(chan_conn(ch), owner);
}
