/* A growable array of pointers. */
#ifndef BASE_VEC_H
#define BASE_VEC_H

#include <stddef.h>

/* Zero-initialised is empty. */
struct vec {
    void **at;
    size_t len;
    size_t cap;
};

void vec_fini(struct vec *v); /* frees the array, not what it points to */
void vec_push(struct vec *v, void *item);
void *vec_pop(struct vec *v); /* NULL when empty */
/* Removes [pos] by moving the last item into its place: O(1), changes the order. */
void vec_swap_remove(struct vec *v, size_t pos);
void vec_remove(struct vec *v, size_t pos); /* keeps the order: O(n) */
/* Position of item, or -1: O(n). */
ptrdiff_t vec_find(const struct vec *v, const void *item);

#endif
