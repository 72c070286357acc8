/* Raw TCP: whatever could be read at once is one message; nothing is added to what is sent. */
#include "proto/codec.h"

#include <string.h>

static ssize_t tcp_decode(void *state, const struct codec_conf *conf, uint8_t *at, size_t len,
                          struct codec_event *ev, struct buf *reply)
{
    size_t n = len;
    if (conf->message_max_bytes > 0 && n > conf->message_max_bytes)
        n = conf->message_max_bytes; /* a stream has no message borders: the rest comes next */
    *ev = (struct codec_event){.kind = n > 0 ? CODEC_MESSAGE : CODEC_NOTHING,
                               .payload = span_of(at, n)};
    return (ssize_t)n;
}

static size_t tcp_encode(uint8_t *to, struct span payload, bool is_binary)
{
    if (payload.len > 0)
        memcpy(to, payload.at, payload.len);
    return payload.len;
}

const struct codec tcp_codec = {
    .name = "tcp",
    .decode = tcp_decode,
    .encode = tcp_encode,
};
