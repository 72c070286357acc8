/* Equal-sized objects carved out of slabs, with a list of free ones threaded through them. */
#include "base/pool.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct free_object {
    struct free_object *next;
};

struct slab {
    struct slab *next;
    unsigned char *objects; /* in the same allocation */
};

struct pool {
    size_t object_bytes; /* rounded up to that of a pointer */
    size_t slab_objects_n;
    size_t used_n;
    struct free_object *free;
    struct slab *slabs;
    size_t fresh_n; /* objects of the newest slab that were never taken */
};

enum { SLAB_BYTES = 64 * 1024, SLAB_MIN_OBJECTS = 8, CACHE_LINE = 64 };

struct pool *pool_new(size_t object_bytes)
{
    struct pool *p = mem_zalloc(sizeof *p);
    size_t align = alignof(void *); /* a stricter one divides the size of what needs it */
    if (object_bytes < sizeof(struct free_object))
        object_bytes = sizeof(struct free_object);
    p->object_bytes = (object_bytes + align - 1) / align * align;
    p->slab_objects_n = SLAB_BYTES / p->object_bytes;
    if (p->slab_objects_n < SLAB_MIN_OBJECTS)
        p->slab_objects_n = SLAB_MIN_OBJECTS;
    return p;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;
    while (p->slabs) {
        struct slab *s = p->slabs;
        p->slabs = s->next;
        mem_free(s);
    }
    mem_free(p);
}

static void add_slab(struct pool *p)
{
    /* The first object begins a cache line; so do all, if their size is a multiple of one. */
    struct slab *s = mem_alloc(sizeof *s + CACHE_LINE + p->slab_objects_n * p->object_bytes);
    uintptr_t behind = (uintptr_t)(s + 1);
    s->objects = (unsigned char *)(s + 1) + (CACHE_LINE - behind % CACHE_LINE) % CACHE_LINE;
    s->next = p->slabs;
    p->slabs = s;
    p->fresh_n = p->slab_objects_n;
}

void *pool_take(struct pool *p)
{
    void *object = p->free;
    if (object) {
        p->free = p->free->next;
    } else {
        /* Fresh objects are handed out one by one, so that a slab touches no page before its
         * objects are needed. */
        if (p->fresh_n == 0)
            add_slab(p);
        object = p->slabs->objects + --p->fresh_n * p->object_bytes;
    }
    p->used_n++;
    return memset(object, 0, p->object_bytes);
}

void pool_give(struct pool *p, void *object)
{
    if (!object)
        return;
    struct free_object *f = object;
    f->next = p->free;
    p->free = f;
    p->used_n--;
}

void *pool_next(const struct pool *p, struct pool_walk *w)
{
    if (!w->slab && p->slabs)
        *w = (struct pool_walk){.slab = p->slabs, .passed_n = p->fresh_n};
    while (w->slab && w->passed_n == p->slab_objects_n)
        *w = (struct pool_walk){.slab = w->slab->next};
    return w->slab ? w->slab->objects + w->passed_n++ * p->object_bytes : NULL;
}

size_t pool_used_n(const struct pool *p)
{
    return p->used_n;
}
