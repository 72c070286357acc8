/* Messages to any number of clients: encoded once per variant, queued by reference. */
#include "gateway/fanout.h"

#include <gw/err.h>

#include "base/chunk.h"
#include "chan/chan.h"
#include "gateway/gateway_conf.h"
#include "gateway/slow.h"
#include "gateway/state.h"
#include "proto/codec.h"

void fanout_begin(struct fanout *f, struct gateway *g, struct span payload, unsigned flags)
{
    f->gateway = g;
    f->messages[0] = payload;
    f->messages_n = 1;
    f->room = payload.len + CODEC_OVERHEAD_MAX;
    f->flags = flags;
    f->reached_n = 0;
    f->queued_n = 0;
    f->variants_n = 0;
}

bool fanout_add(struct fanout *f, struct span payload)
{
    size_t room = f->room + payload.len + CODEC_OVERHEAD_MAX;
    if (f->messages_n == FANOUT_MESSAGES_MAX || room > FANOUT_RUN_BYTES)
        return false;
    f->messages[f->messages_n++] = payload;
    f->room = room;
    return true;
}

/* 0: the plain form is the better one. */
static size_t encode(const struct fanout *f, const struct client *c, uint8_t number,
                     struct span payload, uint8_t *to)
{
    bool is_binary = f->flags & FANOUT_BINARY;
    if (number != CODEC_PLAIN)
        return chan_encode_variant(c->chan, to, payload, is_binary);
    if (!(f->flags & FANOUT_RAW))
        return chan_kind_of(c->chan)->codec->encode(to, payload, is_binary);
    if (payload.len > 0)
        memcpy(to, payload.at, payload.len);
    return payload.len;
}

/* Writes all messages to the end of the shared chunk. */
static const struct fanout_variant *add_variant(struct fanout *f, const struct client *c,
                                                uint8_t number)
{
    struct chunk *chunk = conn_pool_scratch(f->gateway->conns, f->room);
    struct fanout_variant *v = &f->variants[f->variants_n];
    uint32_t end = chunk->len;
    v->codec = chan_kind_of(c->chan)->codec;
    v->number = number;
    v->chunk = chunk;
    v->off = end;
    for (size_t i = 0; i < f->messages_n; i++) {
        size_t len = encode(f, c, number, f->messages[i], chunk->at + end);
        if (len == 0 && number != CODEC_PLAIN)
            len = encode(f, c, CODEC_PLAIN, f->messages[i], chunk->at + end);
        v->ends[i] = end += (uint32_t)len;
    }
    chunk->len = end;
    chunk_ref(chunk);
    f->variants_n++;
    return v;
}

static const struct fanout_variant *variant_of(struct fanout *f, const struct client *c,
                                               uint8_t number)
{
    const struct codec *codec = chan_kind_of(c->chan)->codec;
    for (size_t i = 0; i < f->variants_n; i++) {
        const struct fanout_variant *v = &f->variants[i];
        if ((v->codec == codec && v->number == number) || f->flags & FANOUT_RAW)
            return v;
    }
    return add_variant(f, c, number);
}

static int queue_part(struct client *c, const struct fanout_variant *v, uint32_t off, uint32_t end)
{
    return end > off ? chan_queue(c->chan, v->chunk, off, end - off) : 0;
}

/* The most that message i takes. */
static uint64_t length_of(const struct fanout *f, const struct fanout_variant *v, size_t i)
{
    return v ? v->ends[i] - (i > 0 ? v->ends[i - 1] : v->off)
             : f->messages[i].len + CODEC_OVERHEAD_MAX;
}

/* Message i alone. v is NULL when the client's are encoded for it alone. */
static int queue_one(const struct fanout *f, struct client *c, const struct fanout_variant *v,
                     size_t i)
{
    if (!v)
        return chan_send(c->chan, f->messages[i], f->flags & FANOUT_BINARY);
    return queue_part(c, v, v->ends[i] - (uint32_t)length_of(f, v, i), v->ends[i]);
}

/* The result of the last message. A client that gets slow meanwhile loses the messages that it
 * would lose if each had come alone. */
static int queue_each(struct fanout *f, struct client *c, const struct fanout_variant *v)
{
    int rc = 0;
    for (size_t i = 0; i < f->messages_n && !chan_is_closing(c->chan); i++) {
        rc = queue_one(f, c, v, i);
        if (rc == GW_EFULL && slow_makes_room(f->gateway, c, length_of(f, v, i)))
            rc = queue_one(f, c, v, i);
        f->queued_n += rc == 0;
    }
    slow_look(f->gateway, c);
    return rc;
}

void fanout_to(struct fanout *f, struct client *c)
{
    if (chan_is_closing(c->chan))
        return;
    uint8_t number = f->flags & FANOUT_RAW ? CODEC_PLAIN : chan_variant(c->chan);
    const struct fanout_variant *v = number == CODEC_OWN ? NULL : variant_of(f, c, number);
    uint32_t end = v ? v->ends[f->messages_n - 1] : 0;
    int rc;
    bool keeps_messages = f->gateway->conf->on_full == ON_FULL_DROP_OLD;
    if (v && !keeps_messages && conn_has_room(chan_conn(c->chan), end - v->off)) {
        rc = queue_part(c, v, v->off, end);
        f->queued_n += rc == 0 ? f->messages_n : 0;
    } else {
        rc = queue_each(f, c, v);
    }
    f->reached_n += rc == 0;
}

void fanout_end(struct fanout *f)
{
    for (size_t i = 0; i < f->variants_n; i++)
        chunk_unref(f->variants[i].chunk);
    f->variants_n = 0;
    f->gateway->counts.delivered_n += f->queued_n;
}

/* With room for it in any case the channel encodes straight away. */
bool fanout_one(struct gateway *g, struct client *c, struct span payload, unsigned flags)
{
    bool is_usual = !(flags & FANOUT_RAW) && g->conf->on_full != ON_FULL_DROP_OLD &&
                    conn_has_room(chan_conn(c->chan), payload.len + CODEC_OVERHEAD_MAX);
    if (is_usual) {
        int rc = chan_send(c->chan, payload, flags & FANOUT_BINARY);
        g->counts.delivered_n += rc == 0;
        return rc == 0;
    }
    struct fanout f;
    fanout_begin(&f, g, payload, flags);
    fanout_to(&f, c);
    fanout_end(&f);
    return f.reached_n > 0;
}
