/* Lines from hostile clients: one byte that seeds the cuts, then what the client sends. */
#include "fuzz/both_ways.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static const struct codec_conf conf = {.message_max_bytes = 30};
    if (len > 0)
        fuzz_both_ways(&text_codec, &conf, (struct span){0}, span_of(at + 1, len - 1), at[0], true);
    return 0;
}
