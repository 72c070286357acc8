/* One row of a decoder's table of vectors, checked whole, byte by byte and in random cuts. */
#ifndef SUPPORT_VECTOR_H
#define SUPPORT_VECTOR_H

#include "base/span.h"
#include "proto/codec.h"

/* Bytes of a string literal, NULs included. */
#define BYTES(literal)                                                                             \
    {                                                                                              \
        .at = (const uint8_t *)(literal), .len = sizeof(literal) - 1                               \
    }

struct vector {
    const char *name;
    struct span in;
    const char *events; /* as support/feed.h writes them */
    struct span reply;  /* without the line of the date */
};

/* Fails the test (cmocka) with the vector's name when any way of cutting gives something else. The
 * opening is fed first, and what it brings is not compared. */
void vector_check(const struct codec *codec, const struct codec_conf *conf, struct span opening,
                  const struct vector *v);

#endif
