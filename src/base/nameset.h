/* A compact set of names: of each only a seeded 64-bit hash is kept, eight bytes per slot. */
#ifndef BASE_NAMESET_H
#define BASE_NAMESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* For sets whose owner can live with one wrong answer in 2^64 / n: two names with the same hash are
 * one member. The seed is drawn per process, so that nobody can choose such names. At most three
 * quarters of the slots are used. Zero-initialised is empty. */
struct nameset {
    uint64_t *slots; /* 0: free */
    size_t cap;      /* a power of two, or 0 */
    size_t len;
};

void nameset_fini(struct nameset *s); /* empties it, too */
bool nameset_has(const struct nameset *s, struct span name);
void nameset_add(struct nameset *s, struct span name);    /* twice is once */
void nameset_remove(struct nameset *s, struct span name); /* absent is fine */
size_t nameset_bytes(const struct nameset *s);

#endif
