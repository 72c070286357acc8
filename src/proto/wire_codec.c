/* The inner protocols as codecs: whole packets of the wire, and the answers to queries.
 *
 * Both hand out and take payloads without looking into them: a packet with its head (as
 * wire_encode() writes it, for wire_decode() to read), or the value behind an answer's length. An
 * incomplete one costs a look at its first bytes only, so nothing is kept between calls. */
#include "proto/codec.h"

#include <gw/err.h>

#include "base/bytes.h"
#include "proto/wire.h"

enum { REPLY_HEAD = 4 };

static size_t limit_of(const struct codec_conf *conf)
{
    return conf->message_max_bytes > 0 ? conf->message_max_bytes : SIZE_MAX;
}

static ssize_t wire_codec_decode(void *state, const struct codec_conf *conf, uint8_t *at,
                                 size_t len, struct codec_event *ev, struct buf *reply)
{
    ssize_t used = wire_packet_len(span_of(at, len), limit_of(conf));

    *ev = (struct codec_event){.kind = CODEC_NOTHING};
    if (used > 0)
        *ev = (struct codec_event){.kind = CODEC_MESSAGE,
                                   .is_binary = true,
                                   .is_in_input = true,
                                   .payload = span_of(at, (size_t)used)};
    return used;
}

static size_t wire_codec_encode(uint8_t *to, struct span payload, bool is_binary)
{
    if (payload.len > 0)
        memcpy(to, payload.at, payload.len);
    return payload.len;
}

const struct codec wire_codec = {
    .name = "wire",
    .decode = wire_codec_decode,
    .encode = wire_codec_encode,
};

/* The limit counts the value alone: the length says how long it is before any of it arrives. */
static ssize_t reply_codec_decode(void *state, const struct codec_conf *conf, uint8_t *at,
                                  size_t len, struct codec_event *ev, struct buf *reply)
{
    *ev = (struct codec_event){.kind = CODEC_NOTHING};
    if (len < REPLY_HEAD)
        return 0;
    size_t value_len = get_u32be(at);
    if (value_len > limit_of(conf))
        return GW_ETOOBIG;
    if (len - REPLY_HEAD < value_len)
        return 0;
    *ev = (struct codec_event){
        .kind = CODEC_MESSAGE, .is_binary = true, .payload = span_of(at + REPLY_HEAD, value_len)};
    return (ssize_t)(REPLY_HEAD + value_len);
}

static size_t reply_codec_encode(uint8_t *to, struct span payload, bool is_binary)
{
    put_u32be(to, (uint32_t)payload.len);
    if (payload.len > 0)
        memcpy(to + REPLY_HEAD, payload.at, payload.len);
    return REPLY_HEAD + payload.len;
}

const struct codec reply_codec = {
    .name = "reply",
    .decode = reply_codec_decode,
    .encode = reply_codec_encode,
};
