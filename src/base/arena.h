/* An arena: memory that is handed out piece by piece and given back all at once. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/span.h"

struct arena_block;

/* Zero-initialised is empty and holds no memory. */
struct arena {
    struct arena_block *blocks; /* the newest first */
};

void arena_fini(struct arena *a); /* frees every piece; the arena is empty and usable again */

/* Zero-filled, and aligned for pointers and numbers of 64 bits. Never NULL. */
void *arena_alloc(struct arena *a, size_t size) NODISCARD;
/* The same, filled with whatever was there. */
void *arena_alloc_raw(struct arena *a, size_t size) NODISCARD;
/* A copy with a NUL behind it. */
char *arena_text(struct arena *a, struct span text) NODISCARD;

#endif
