/* Blocks that double, so that a result of n bytes costs about log n allocations. */
#include "client/arena.h"

#include <stdalign.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK_FIRST = 512, BLOCK_MAX = 256 * 1024, ALIGN = alignof(max_align_t) };

struct arena_block {
    struct arena_block *before;
    size_t used;
    size_t cap;
    alignas(max_align_t) unsigned char at[];
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

void *arena_alloc(struct arena *a, size_t size)
{
    struct arena_block *b = a->blocks;

    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (!b || b->cap - b->used < size)
        b = add_block(a, size);
    void *at = b->at + b->used;
    b->used += size;
    return memset(at, 0, size);
}

char *arena_text(struct arena *a, struct span text)
{
    char *out = arena_alloc(a, text.len + 1);

    if (text.len > 0)
        memcpy(out, text.at, text.len);
    return out;
}
