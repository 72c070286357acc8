/* The client protocols by the name that stands before "://" in `listen`. */
#include "proto/codec.h"

static const struct codec *const client_codecs[] = {
    &ws_codec, &text_codec, &frame_codec, &tcp_codec, &http_codec,
};

const struct codec *codec_find(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(client_codecs); i++)
        if (span_is(name, client_codecs[i]->name))
            return client_codecs[i];
    return NULL;
}
