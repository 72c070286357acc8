/* The Frame protocol: a u32be length that counts itself, then the payload.
 * vectors/client-protocols.json (frame) */
#include "proto/codec.h"

#include <string.h>

#include <gw/err.h>

#include "base/bytes.h"

enum { FRAME_HEAD = 4 };

/* A length below 4 cannot count itself. The original stalls on 0 and falls out of step on 1 to 3
 * (vectors zero, short_len); an error is the only answer that harms nobody. */
static ssize_t frame_decode(void *state, const struct codec_conf *conf, uint8_t *at, size_t len,
                            struct codec_event *ev, struct buf *reply)
{
    *ev = (struct codec_event){.kind = CODEC_NOTHING};
    if (len < FRAME_HEAD)
        return 0;
    size_t total = get_u32be(at);
    if (total < FRAME_HEAD)
        return GW_EPROTO;
    if (conf->message_max_bytes > 0 && total - FRAME_HEAD > conf->message_max_bytes)
        return GW_ETOOBIG;
    if (len < total)
        return 0;
    ev->kind = CODEC_MESSAGE;
    ev->payload = span_of(at + FRAME_HEAD, total - FRAME_HEAD);
    return (ssize_t)total;
}

static size_t frame_encode(uint8_t *to, struct span payload, bool is_binary)
{
    size_t total = FRAME_HEAD + payload.len;
    put_u32be(to, (uint32_t)total);
    if (payload.len > 0)
        memcpy(to + FRAME_HEAD, payload.at, payload.len);
    return total;
}

const struct codec frame_codec = {
    .name = "frame",
    .decode = frame_decode,
    .encode = frame_encode,
};
