/* The known word that a mistyped one was most likely meant to be. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include <stddef.h>

/* Initialise with the mistyped word, then offer the known ones. */
struct nearest {
    const char *word;
    const char *best; /* the closest so far; NULL: none is close enough to be worth telling */
    size_t best_distance;
};

void nearest_try(struct nearest *n, const char *known); /* keeps the pointer */
/* How many letters must be inserted, dropped, replaced or swapped with their neighbour; SIZE_MAX
 * for words longer than 64 bytes. */
size_t nearest_distance(const char *a, const char *b);

#endif
