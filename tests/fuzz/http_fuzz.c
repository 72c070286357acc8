/* HTTP requests from hostile clients: one byte that seeds the cuts, then what the client sends. */
#include "fuzz/both_ways.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static const struct codec_conf conf = {.message_max_bytes = 100, .head_max_bytes = 300};
    if (len > 0) /* whether 100 Continue is said does depend on the cuts */
        fuzz_both_ways(&http_codec, &conf, (struct span){0}, span_of(at + 1, len - 1), at[0],
                       false);
    return 0;
}
