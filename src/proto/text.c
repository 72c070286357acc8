/* The Text protocol: messages are lines ended by \n. vectors/client-protocols.json (text)
 *
 * All \r at the end of a line are dropped with it, as the original does; an empty line is an empty
 * message. A line that is not complete stays in the caller's input; only how far it was searched
 * is kept, so that a peer that sends single bytes costs no more than one that sends whole lines. */
#include "proto/codec.h"

#include <string.h>

#include <gw/err.h>

struct text {
    size_t searched; /* bytes at the front of the input that hold no \n */
};

static struct span without_cr(struct span line)
{
    while (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

static ssize_t text_decode(void *state, const struct codec_conf *conf, uint8_t *at, size_t len,
                           struct codec_event *ev, struct buf *reply)
{
    struct text *t = state;
    *ev = (struct codec_event){.kind = CODEC_NOTHING};
    if (len <= t->searched)
        return 0;
    const uint8_t *end = memchr(at + t->searched, '\n', len - t->searched);
    size_t line_len = end ? (size_t)(end - at) : len;
    /* The limit counts the \r too: a line is judged alike whether or not its end has arrived. */
    if (conf->message_max_bytes > 0 && line_len > conf->message_max_bytes)
        return GW_ETOOBIG;
    if (!end) {
        t->searched = len;
        return 0;
    }
    t->searched = 0;
    ev->kind = CODEC_MESSAGE;
    ev->payload = without_cr(span_of(at, line_len));
    return (ssize_t)(line_len + 1);
}

static size_t text_encode(uint8_t *to, struct span payload, bool is_binary)
{
    if (payload.len > 0)
        memcpy(to, payload.at, payload.len);
    to[payload.len] = '\n';
    return payload.len + 1;
}

const struct codec text_codec = {
    .name = "text",
    .state_bytes = sizeof(struct text),
    .decode = text_decode,
    .encode = text_encode,
};
