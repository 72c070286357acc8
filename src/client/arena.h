/* Memory for one result: handed out piece by piece, given back all at once. */
#ifndef CLIENT_ARENA_H
#define CLIENT_ARENA_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/span.h"

struct arena_block;

/* Zero-initialised is empty and holds no memory. */
struct arena {
    struct arena_block *blocks; /* the newest first */
};

void arena_fini(struct arena *a); /* frees every piece; the arena is empty and usable again */

/* Zero-filled and aligned for anything. Never NULL. */
void *arena_alloc(struct arena *a, size_t size) NODISCARD;
/* A copy with a NUL behind it. */
char *arena_text(struct arena *a, struct span text) NODISCARD;

#endif
