/* One message to any number of clients: encoded once per protocol, queued by reference. */
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

static struct fanout_variant *encode(struct fanout *f, const struct codec *codec)
{
    struct span payload = f->payload;
    struct chunk *chunk = conn_pool_scratch(f->gateway->conns, payload.len + CODEC_OVERHEAD_MAX);
    uint8_t *to = chunk->at + chunk->len;
    size_t len = payload.len;
    if (!(f->flags & FANOUT_RAW))
        len = codec->encode(to, payload, (f->flags & FANOUT_BINARY) != 0);
    else if (len > 0)
        memcpy(to, payload.at, len);

    struct fanout_variant *v = &f->variants[f->variants_n++];
    *v = (struct fanout_variant){
        .codec = codec, .chunk = chunk_ref(chunk), .off = chunk->len, .len = (uint32_t)len};
    chunk->len += (uint32_t)len;
    return v;
}

static struct fanout_variant *variant_of(struct fanout *f, const struct codec *codec)
{
    for (size_t i = 0; i < f->variants_n; i++)
        if (f->variants[i].codec == codec || f->flags & FANOUT_RAW)
            return &f->variants[i];
    return encode(f, codec);
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
    const struct fanout_variant *v = variant_of(f, c->front->kind.codec);
    int rc = v->len > 0 ? chan_queue(c->chan, v->chunk, v->off, v->len) : 0;
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
