/* Equal-sized objects carved out of slabs: no per-object overhead, free ones reused first. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/compiler.h"

struct pool;
struct slab;

/* Objects are aligned as their size allows: multiples of 64 start on cache lines, others at least
 * on pointers. */
struct pool *pool_new(size_t object_bytes);
void pool_free(struct pool *p);               /* frees all slabs, objects included */
void *pool_take(struct pool *p) NODISCARD;    /* zero-filled; never NULL */
void pool_give(struct pool *p, void *object); /* NULL is fine */
size_t pool_used_n(const struct pool *p);

/* Zero-initialised it begins. Visits every object that was ever taken, also those that were given
 * back: of these the first pointer is the pool's, the rest is as its owner left it. None may be
 * taken during the walk. NULL at the end. */
struct pool_walk {
    const struct slab *slab;
    size_t passed_n; /* of its objects */
};
void *pool_next(const struct pool *p, struct pool_walk *w);

#endif
