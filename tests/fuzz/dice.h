/* The choices that a fuzz input makes, byte by byte; once it is used up all of them are 0. */
#ifndef FUZZ_DICE_H
#define FUZZ_DICE_H

#include <stdint.h>

#include "base/span.h"

struct dice {
    struct span rest;
};

static inline uint8_t dice_byte(struct dice *d)
{
    if (d->rest.len == 0)
        return 0;
    uint8_t byte = d->rest.at[0];
    d->rest = span_skip(d->rest, 1);
    return byte;
}

static inline unsigned dice_below(struct dice *d, unsigned n)
{
    return dice_byte(d) % n;
}

/* A byte of length, then so many bytes as there are. */
static inline struct span dice_bytes(struct dice *d)
{
    size_t len = dice_byte(d);
    struct span bytes = span_of(d->rest.at, len < d->rest.len ? len : d->rest.len);
    d->rest = span_skip(d->rest, bytes.len);
    return bytes;
}

#endif
