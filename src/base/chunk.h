/* Counted blocks of output bytes: encoded once, queued to any number of connections. */
#ifndef BASE_CHUNK_H
#define BASE_CHUNK_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct chunk_pool;

/* One thread only: the count is not atomic. Bytes [0, len) never change once written; whoever
 * filled the chunk may append at `len` while there is room (queued parts are not touched). */
struct chunk {
    uint32_t refs_n;
    uint32_t len;  /* bytes written */
    uint32_t cap;  /* bytes that fit */
    uint32_t held; /* memory that it takes, heads and rounding included */
    struct chunk_pool *pool;
    uint8_t at[];
};

enum { CHUNK_STD = 64 * 1024 - 64 }; /* capacity of a pooled chunk */

struct chunk_pool *chunk_pool_new(size_t idle_max_n); /* keeps at most that many free ones */
void chunk_pool_free(struct chunk_pool *p);           /* every chunk must be gone */
size_t chunk_pool_bytes(const struct chunk_pool *p);  /* memory held, free ones included */

/* A chunk with one reference, which the caller owns, and room for at least `room` bytes.
 * Up to CHUNK_STD it comes from the pool; above it is made to measure and freed at once. */
struct chunk *chunk_new(struct chunk_pool *p, size_t room) NODISCARD;
/* The same, but made to measure: for bytes that may have to wait long. */
struct chunk *chunk_new_exact(struct chunk_pool *p, size_t room) NODISCARD;
size_t chunk_held_max(size_t room); /* the most that such a chunk takes */

static inline struct chunk *chunk_ref(struct chunk *c)
{
    c->refs_n++;
    return c;
}

void chunk_recycle(struct chunk *c); /* for chunk_unref() only */

static inline void chunk_unref(struct chunk *c)
{
    if (c && --c->refs_n == 0)
        chunk_recycle(c);
}

#endif
