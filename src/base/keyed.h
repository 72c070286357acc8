/* A hash set of objects that know their own 64-bit key: half the memory of an idmap. */
#ifndef BASE_KEYED_H
#define BASE_KEYED_H

#include <stddef.h>
#include <stdint.h>

/* One pointer per slot and at most three quarters of them used, for tables with an entry per
 * connection. The hash is seeded per process. The objects are the owner's business; their keys stay
 * as they are while they are in. */
struct keyed;
typedef uint64_t keyed_fn(const void *object);

struct keyed *keyed_new(keyed_fn *key_of);
void keyed_free(struct keyed *k);
void *keyed_get(const struct keyed *k, uint64_t key); /* NULL when absent */
void keyed_add(struct keyed *k, void *object);        /* there is none of that key */
void keyed_remove(struct keyed *k, uint64_t key);     /* absent is fine */
size_t keyed_len(const struct keyed *k);
/* *pos starts at 0; in no order; NULL at the end. Nobody may come or leave during a walk. */
void *keyed_next(const struct keyed *k, size_t *pos);

#endif
