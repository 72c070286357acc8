/* One message to any number of clients: encoded once per variant, queued by reference. */
#include "gateway/fanout.h"

#include <inttypes.h>

#include <gw/err.h>

#include "base/chunk.h"
#include "base/log.h"
#include "chan/chan.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "proto/codec.h"

void fanout_begin(struct fanout *f, struct gateway *g, struct span payload, unsigned flags)
{
    f->gateway = g;
    f->payload = payload;
    f->flags = flags;
    f->reached_n = 0;
    f->variants_n = 0;
}

static const struct fanout_variant *variant_of(struct fanout *f, const struct client *c,
                                               uint8_t number);

/* Writes to the end of the shared chunk. 0: the plain form is the better one. */
static size_t encode(struct fanout *f, const struct client *c, uint8_t number, uint8_t *to)
{
    struct span payload = f->payload;
    bool is_binary = f->flags & FANOUT_BINARY;
    if (number != CODEC_PLAIN)
        return chan_encode_variant(c->chan, to, payload, is_binary);
    if (!(f->flags & FANOUT_RAW))
        return c->front->kind.codec->encode(to, payload, is_binary);
    if (payload.len > 0)
        memcpy(to, payload.at, payload.len);
    return payload.len;
}

static const struct fanout_variant *add_variant(struct fanout *f, const struct client *c,
                                                uint8_t number)
{
    struct chunk *chunk = conn_pool_scratch(f->gateway->conns, f->payload.len + CODEC_OVERHEAD_MAX);
    struct fanout_variant v = {.codec = c->front->kind.codec, .number = number, .off = chunk->len};
    v.len = (uint32_t)encode(f, c, number, chunk->at + chunk->len);
    v.chunk = chunk;
    if (v.len > 0 || number == CODEC_PLAIN) {
        chunk->len += v.len;
    } else { /* the same bytes under another number */
        v = *variant_of(f, c, CODEC_PLAIN);
        v.number = number;
    }
    chunk_ref(v.chunk);
    f->variants[f->variants_n] = v;
    return &f->variants[f->variants_n++];
}

static const struct fanout_variant *variant_of(struct fanout *f, const struct client *c,
                                               uint8_t number)
{
    const struct codec *codec = c->front->kind.codec;
    for (size_t i = 0; i < f->variants_n; i++) {
        const struct fanout_variant *v = &f->variants[i];
        if ((v->codec == codec && v->number == number) || f->flags & FANOUT_RAW)
            return v;
    }
    return add_variant(f, c, number);
}

static int queue_to(struct fanout *f, struct client *c)
{
    uint8_t number = f->flags & FANOUT_RAW ? CODEC_PLAIN : chan_variant(c->chan);
    if (number == CODEC_OWN)
        return chan_send(c->chan, f->payload, f->flags & FANOUT_BINARY);
    const struct fanout_variant *v = variant_of(f, c, number);
    return v->len > 0 ? chan_queue(c->chan, v->chunk, v->off, v->len) : 0;
}

static COLD void on_full(struct gateway *g, struct client *c)
{
    static struct log_rate rate;
    static const char reason[] = "too slow";
    bool is_closing = g->conf->on_full == ON_FULL_CLOSE;
    g->counts.send_fail_n++;
    log_limited(&rate, LOG_WARN,
                "connection %" PRIu32 " does not read: more than %" PRIu64
                " bytes (send_to_client_buffer_size) wait for it; %s (%" PRIu64 " so far)",
                c->id, g->conf->send_to_client_buffer_size,
                is_closing ? "closed with 1013" : "message dropped", g->counts.send_fail_n);
    if (is_closing)
        chan_close(c->chan, 1013, span_str(reason));
}

void fanout_to(struct fanout *f, struct client *c)
{
    if (chan_is_closing(c->chan))
        return;
    int rc = queue_to(f, c);
    if (rc == 0)
        f->reached_n++;
    else if (rc == GW_EFULL)
        on_full(f->gateway, c);
}

void fanout_end(struct fanout *f)
{
    for (size_t i = 0; i < f->variants_n; i++)
        chunk_unref(f->variants[i].chunk);
    f->variants_n = 0;
}
