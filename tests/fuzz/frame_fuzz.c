/* Length-prefixed frames from hostile clients: one byte that seeds the cuts, then what is sent. */
#include <stdlib.h>

#include "base/mem.h"
#include "fuzz/both_ways.h"

/* What was decoded, encoded again, is what was sent. */
static void check_round_trip(const struct codec_conf *conf, struct span sent)
{
    uint8_t *in = mem_alloc(sent.len + 1);
    uint8_t *again = mem_alloc(sent.len + CODEC_OVERHEAD_MAX);
    if (sent.len > 0)
        memcpy(in, sent.at, sent.len);
    struct codec_event ev;
    size_t used = 0;
    ssize_t n;
    while ((n = frame_codec.decode(NULL, conf, in + used, sent.len - used, &ev, NULL)) > 0) {
        if (frame_codec.encode(again, ev.payload, false) != (size_t)n ||
            memcmp(again, sent.at + used, (size_t)n) != 0)
            abort();
        used += (size_t)n;
    }
    mem_free(in);
    mem_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static const struct codec_conf conf = {.message_max_bytes = 300};
    if (len == 0)
        return 0;
    struct span sent = span_of(at + 1, len - 1);
    fuzz_both_ways(&frame_codec, &conf, (struct span){0}, sent, at[0], true);
    check_round_trip(&conf, sent);
    return 0;
}
