/* Equal-sized objects carved out of slabs: no per-object overhead, free ones reused first. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stddef.h>

#include "base/compiler.h"

struct pool;

/* Objects are aligned as their size allows: multiples of 64 start on cache lines, others at least on
 * pointers. */
struct pool *pool_new(size_t object_bytes);
void pool_free(struct pool *p);               /* frees all slabs, objects included */
void *pool_take(struct pool *p) NODISCARD;    /* zero-filled; never NULL */
void pool_give(struct pool *p, void *object); /* NULL is fine */
size_t pool_used_n(const struct pool *p);

#endif
