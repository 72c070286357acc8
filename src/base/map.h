/* A hash map from byte strings to pointers, with entries in insertion order. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* Keys are copied. The hash is seeded per process, so that a peer cannot choose collisions.
 * Walking visits entries in the order of insertion (the wire promises it); a key that was removed
 * and added again goes to the end. Removing during a walk is allowed, adding is not. */
struct map;

struct map *map_new(void);
/* Keys, not NULL, are borrowed until their entry is removed: where the value holds its own name. */
struct map *map_new_borrowing(void);
void map_free(struct map *m); /* the values are the caller's business */

void *map_get(const struct map *m, struct span key);       /* NULL when absent */
void map_set(struct map *m, struct span key, void *value); /* replaces in place; value not NULL */
void *map_remove(struct map *m, struct span key);          /* the old value or NULL */
size_t map_len(const struct map *m);

/* *pos starts at 0; false at the end. The key dies with the entry. */
bool map_next(const struct map *m, size_t *pos, struct span *key, void **value);
/* Between the two a walk may rest: entries may be added, too, and appear at its end. Counted. */
void map_hold(struct map *m);
void map_let_go(struct map *m);

#endif
