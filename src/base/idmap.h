/* A hash map from 64-bit numbers to pointers, in no order. */
#ifndef BASE_IDMAP_H
#define BASE_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hash is seeded per process, so that a peer cannot choose collisions. Removing during a walk
 * is allowed, adding is not. */
struct idmap;

struct idmap *idmap_new(void);
void idmap_free(struct idmap *m); /* the values are the caller's business */

void *idmap_get(const struct idmap *m, uint64_t id);       /* NULL when absent */
void idmap_set(struct idmap *m, uint64_t id, void *value); /* replaces in place; value not NULL */
void *idmap_remove(struct idmap *m, uint64_t id);          /* the old value or NULL */
size_t idmap_len(const struct idmap *m);

/* *pos starts at 0; false at the end. */
bool idmap_next(const struct idmap *m, size_t *pos, uint64_t *id, void **value);

#endif
