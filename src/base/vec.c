/* A growable array of pointers. */
#include "base/vec.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { FIRST_CAP = 8 };

void vec_fini(struct vec *v)
{
    mem_free(v->at);
    *v = (struct vec){0};
}

void vec_push(struct vec *v, void *item)
{
    if (v->len == v->cap) {
        v->cap = v->cap ? v->cap * 2 : FIRST_CAP;
        v->at = mem_realloc(v->at, v->cap * sizeof v->at[0]);
    }
    v->at[v->len++] = item;
}

void *vec_pop(struct vec *v)
{
    return v->len ? v->at[--v->len] : NULL;
}

static void check_pos(const struct vec *v, size_t pos)
{
    if (pos >= v->len)
        log_fatal("vec: position %zu of %zu", pos, v->len);
}

void vec_swap_remove(struct vec *v, size_t pos)
{
    check_pos(v, pos);
    v->at[pos] = v->at[--v->len];
}

void vec_remove(struct vec *v, size_t pos)
{
    check_pos(v, pos);
    v->len--;
    memmove(v->at + pos, v->at + pos + 1, (v->len - pos) * sizeof v->at[0]);
}

ptrdiff_t vec_find(const struct vec *v, const void *item)
{
    for (size_t i = 0; i < v->len; i++)
        if (v->at[i] == item)
            return (ptrdiff_t)i;
    return -1;
}
