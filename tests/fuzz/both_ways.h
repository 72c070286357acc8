/* The invariant of every decoder: how the bytes were cut must not show in what comes out. */
#ifndef FUZZ_BOTH_WAYS_H
#define FUZZ_BOTH_WAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "proto/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len);

/* Feeds the opening and then the bytes, once whole and once cut by the seed; aborts when the
 * events (or, where they must be equal, the replies) differ. */
void fuzz_both_ways(const struct codec *codec, const struct codec_conf *conf, struct span opening,
                    struct span bytes, unsigned seed, bool are_replies_equal);

#endif
