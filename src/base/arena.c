/* Blocks that double, so that n bytes cost about log n allocations. What does not fit the largest
 * block gets one to measure. */
#include "base/arena.h"

#include <string.h>

#include "base/mem.h"

enum { BLOCK_FIRST = 1024, BLOCK_MAX = 256 * 1024, ALIGN = 8 };

struct arena_block {
    struct arena_block *before;
    size_t used;
    size_t cap;
    _Alignas(ALIGN) unsigned char at[];
};

void arena_fini(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *before = a->blocks->before;
        mem_free(a->blocks);
        a->blocks = before;
    }
}

static struct arena_block *add_block(struct arena *a, size_t size)
{
    size_t cap = a->blocks ? 2 * a->blocks->cap : BLOCK_FIRST;

    if (cap > BLOCK_MAX)
        cap = BLOCK_MAX;
    if (cap < size)
        cap = size;
    struct arena_block *b = mem_alloc(sizeof *b + cap);
    *b = (struct arena_block){.before = a->blocks, .cap = cap};
    a->blocks = b;
    return b;
}

void *arena_alloc_raw(struct arena *a, size_t size)
{
    struct arena_block *b = a->blocks;

    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (!b || b->cap - b->used < size)
        b = add_block(a, size);
    void *at = b->at + b->used;
    b->used += size;
    return at;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(arena_alloc_raw(a, size), 0, size);
}

char *arena_text(struct arena *a, struct span text)
{
    char *out = arena_alloc_raw(a, text.len + 1);

    if (text.len > 0)
        memcpy(out, text.at, text.len);
    out[text.len] = '\0';
    return out;
}
