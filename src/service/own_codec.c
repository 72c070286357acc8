/* A module is trusted code, but its slips should show as such: lengths that cannot be end the
 * connection or, where memory was overrun, the process. */
#include "service/own_codec.h"

#include <string.h>

#include <gw/err.h>

#include "base/log.h"

static const struct service_kind *kind_of(const struct codec_conf *conf)
{
    return CONTAINER_OF_CONST(conf, struct service_kind, chan.codec_conf);
}

static ssize_t own_decode(void *state, const struct codec_conf *conf, uint8_t *at, size_t len,
                          struct codec_event *ev, struct buf *reply)
{
    static struct log_rate rate;
    struct gw_bytes message = {0};
    bool is_message = false;

    (void)reply;
    *ev = (struct codec_event){.kind = CODEC_NOTHING};
    if (len == 0)
        return 0;
    long used = kind_of(conf)->own->decode(state, (const char *)at, len, &message, &is_message);
    if (used < 0)
        return used;
    if ((size_t)used > len || (used == 0 && is_message)) {
        log_limited(&rate, LOG_ERROR, "the module's codec used %ld of %zu bytes: it is wrong", used,
                    len);
        return GW_EPROTO;
    }
    if (conf->message_max_bytes > 0 && ((is_message ? message.len : 0) > conf->message_max_bytes ||
                                        (used == 0 && len > conf->message_max_bytes)))
        return GW_ETOOBIG;
    if (is_message) {
        ev->kind = CODEC_MESSAGE;
        ev->payload = span_of(message.data, message.len);
    }
    return used;
}

/* Messages are framed by own_codec_encode(): what comes here is framed already. */
static size_t own_encode(uint8_t *to, struct span payload, bool is_binary)
{
    (void)is_binary;
    if (payload.len > 0)
        memcpy(to, payload.at, payload.len);
    return payload.len;
}

void own_codec_use(struct service_kind *kind, struct codec *codec, const struct gw_codec *own)
{
    *codec = (struct codec){
        .name = "tcp", .state_bytes = own->state_bytes, .decode = own_decode, .encode = own_encode};
    kind->own = own;
    kind->chan.codec = codec;
}

void own_codec_encode(const struct gw_codec *own, struct buf *out, struct span payload)
{
    size_t max = own->encoded_max(payload.len);
    uint8_t *to = buf_reserve(out, max);
    size_t len = own->encode((char *)to, gw_bytes((const char *)payload.at, payload.len));

    if (len > max)
        log_fatal("the module's codec wrote %zu bytes where it had announced %zu", len, max);
    buf_commit(out, len);
}
