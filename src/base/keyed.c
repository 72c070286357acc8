/* A hash set of objects that know their own 64-bit key: half the memory of an idmap.
 *
 * Linear probing. What follows a removed object moves up, so that there are no marks and a search
 * never passes more than the objects of one run. */
#include "base/keyed.h"

#include "base/hash.h"
#include "base/mem.h"

struct keyed {
    keyed_fn *key_of;
    struct hash_seed seed;
    void **slots; /* NULL: free */
    size_t cap;   /* a power of two, or 0 */
    size_t len;
};

/* AHEAD: so many objects are fetched before their keys are asked for, lest each be waited for. */
enum { FIRST_CAP = 16, KEPT_CAP = 64, AHEAD = 16 };

struct keyed *keyed_new(keyed_fn *key_of)
{
    struct keyed *k = mem_zalloc(sizeof *k);
    k->key_of = key_of;
    k->seed = hash_seed();
    return k;
}

void keyed_free(struct keyed *k)
{
    if (!k)
        return;
    mem_free(k->slots);
    mem_free(k);
}

static size_t home_of(const struct keyed *k, uint64_t key)
{
    return hash_id(k->seed, key) & (k->cap - 1);
}

/* The position of the key, or the free one where a search for it ends. */
static size_t find(const struct keyed *k, uint64_t key)
{
    size_t i = home_of(k, key);
    while (k->slots[i] && k->key_of(k->slots[i]) != key)
        i = (i + 1) & (k->cap - 1);
    return i;
}

void *keyed_get(const struct keyed *k, uint64_t key)
{
    return k->len ? k->slots[find(k, key)] : NULL;
}

/* For a key that is not in yet: whoever lies in the way is not looked at. */
static void put(struct keyed *k, void *object)
{
    size_t i = home_of(k, k->key_of(object));
    while (k->slots[i])
        i = (i + 1) & (k->cap - 1);
    k->slots[i] = object;
}

static void rebuild(struct keyed *k, size_t cap)
{
    void **old = k->slots;
    size_t old_cap = k->cap;
    k->slots = mem_zalloc(cap * sizeof k->slots[0]);
    k->cap = cap;
    for (size_t i = 0; i < old_cap; i++) {
        if (i + AHEAD < old_cap && old[i + AHEAD])
            __builtin_prefetch(old[i + AHEAD]);
        if (old[i])
            put(k, old[i]);
    }
    mem_free(old);
}

void keyed_add(struct keyed *k, void *object)
{
    if (k->len >= k->cap / 4 * 3)
        rebuild(k, k->cap ? 2 * k->cap : FIRST_CAP);
    put(k, object);
    k->len++;
}

/* Position i became free. What a search would no longer find behind it moves there. */
static void move_up(struct keyed *k, size_t i)
{
    size_t mask = k->cap - 1;
    for (size_t j = (i + 1) & mask; k->slots[j]; j = (j + 1) & mask) {
        size_t home = home_of(k, k->key_of(k->slots[j]));
        if (((j - home) & mask) < ((j - i) & mask))
            continue;
        k->slots[i] = k->slots[j];
        i = j;
    }
    k->slots[i] = NULL;
}

void keyed_remove(struct keyed *k, uint64_t key)
{
    size_t i = k->len ? find(k, key) : 0;
    if (k->len == 0 || !k->slots[i])
        return;
    move_up(k, i);
    k->len--;
    /* Half full afterwards, so that the next rebuild is far and paid for. */
    if (k->cap > KEPT_CAP && k->len < k->cap / 8)
        rebuild(k, k->cap / 4);
}

size_t keyed_len(const struct keyed *k)
{
    return k->len;
}

void *keyed_next(const struct keyed *k, size_t *pos)
{
    while (*pos < k->cap)
        if (k->slots[(*pos)++])
            return k->slots[*pos - 1];
    return NULL;
}
