/* Open addressing with linear probing; what follows a removed member moves up. */
#include "base/nameset.h"

#include "base/hash.h"
#include "base/mem.h"

enum { FIRST_CAP = 16 };

static uint64_t key_of(struct span name)
{
    uint64_t key = hash_bytes(hash_seed(), name);
    return key ? key : 1; /* 0 is a free slot */
}

/* The slot that holds the key, or the free one where a search for it ends. */
static uint64_t *find(const struct nameset *s, uint64_t key)
{
    size_t mask = s->cap - 1;
    size_t i = key & mask;
    while (s->slots[i] && s->slots[i] != key)
        i = (i + 1) & mask;
    return &s->slots[i];
}

void nameset_fini(struct nameset *s)
{
    mem_free(s->slots);
    *s = (struct nameset){0};
}

bool nameset_has(const struct nameset *s, struct span name)
{
    return s->len > 0 && *find(s, key_of(name)) != 0;
}

static void resize(struct nameset *s, size_t cap)
{
    struct nameset old = *s;
    s->slots = mem_zalloc(cap * sizeof *s->slots);
    s->cap = cap;
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i])
            *find(s, old.slots[i]) = old.slots[i];
    mem_free(old.slots);
}

void nameset_add(struct nameset *s, struct span name)
{
    if (s->len >= s->cap / 4 * 3)
        resize(s, s->cap ? s->cap * 2 : FIRST_CAP);
    uint64_t key = key_of(name);
    uint64_t *slot = find(s, key);
    s->len += *slot == 0;
    *slot = key;
}

/* A key behind the hole moves into it unless its own search begins between the two. */
static void close_hole(struct nameset *s, size_t hole)
{
    size_t mask = s->cap - 1;
    for (size_t i = (hole + 1) & mask; s->slots[i]; i = (i + 1) & mask) {
        size_t home = s->slots[i] & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        s->slots[hole] = s->slots[i];
        hole = i;
    }
    s->slots[hole] = 0;
}

void nameset_remove(struct nameset *s, struct span name)
{
    if (s->len == 0)
        return;
    const uint64_t *slot = find(s, key_of(name));
    if (*slot == 0)
        return;
    close_hole(s, (size_t)(slot - s->slots));
    s->len--;
    if (s->cap > FIRST_CAP && s->len < s->cap / 8)
        resize(s, s->cap / 2);
}

size_t nameset_bytes(const struct nameset *s)
{
    return s->cap * sizeof *s->slots;
}
