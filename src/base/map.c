/* A hash map from byte strings to pointers that keeps the order of insertion.
 *
 * Entries lie in one array in the order of insertion; a separate table of slots (linear probing,
 * at most half full) finds them by hash. A removed entry stays as a gap until the array is packed,
 * which happens only in map_set(), so that removals do not disturb a walk:
 *
 *   entries   [ ann ][ bob ][ gap . . . ][ eve ]      used_n = 6, live_n = 3
 *   gaps                      first   last
 *
 * The first and last entry of a run of gaps know each other, so that a walk jumps over the run in
 * one step and costs O(live entries), however many were removed. Gaps at the end are given back
 * at once, and an empty map gives its memory back. */
#include "base/map.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

struct entry {
    const uint8_t *key; /* NULL: a gap */
    void *value;
    union {
        uint32_t hash;
        uint32_t run_first; /* right at the last gap of a run */
    };
    union {
        uint32_t key_len;
        uint32_t run_last; /* right at the first gap of a run, never too far elsewhere */
    };
};

struct slot {
    uint32_t hash;
    uint32_t entry1; /* 1 + position in entries; 0: free */
};

struct map {
    struct hash_seed seed;
    struct entry *entries;
    struct slot *slots;
    uint32_t cap;    /* of entries, a power of two; there are twice as many slots */
    uint32_t used_n; /* live entries and gaps */
    uint32_t live_n;
    bool is_borrowing; /* keys are the caller's */
    uint32_t holds_n;  /* while there are any, no entry changes its position */
};

enum { FIRST_CAP = 8, KEPT_CAP = 64 };

struct map *map_new(void)
{
    struct map *m = mem_zalloc(sizeof *m);
    m->seed = hash_seed();
    return m;
}

struct map *map_new_borrowing(void)
{
    struct map *m = map_new();
    m->is_borrowing = true;
    return m;
}

static void drop_key(const struct map *m, struct entry *e)
{
    if (!m->is_borrowing)
        mem_free((void *)(uintptr_t)e->key);
    e->key = NULL;
}

static void drop_tables(struct map *m)
{
    mem_free(m->entries);
    mem_free(m->slots);
    m->entries = NULL;
    m->slots = NULL;
    m->cap = m->used_n = m->live_n = 0;
}

void map_free(struct map *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->used_n; i++)
        drop_key(m, &m->entries[i]);
    drop_tables(m);
    mem_free(m);
}

static uint32_t slot_mask(const struct map *m)
{
    return 2 * m->cap - 1;
}

static uint32_t hash_of(const struct map *m, struct span key)
{
    return (uint32_t)hash_bytes(m->seed, key);
}

/* The slot of the key, or NULL. */
static struct slot *find(const struct map *m, struct span key, uint32_t hash)
{
    if (m->live_n == 0)
        return NULL;
    for (uint32_t i = hash & slot_mask(m); m->slots[i].entry1; i = (i + 1) & slot_mask(m)) {
        if (m->slots[i].hash != hash)
            continue;
        const struct entry *e = &m->entries[m->slots[i].entry1 - 1];
        if (span_eq(span_of(e->key, e->key_len), key))
            return &m->slots[i];
    }
    return NULL;
}

static void fill_slot(struct map *m, uint32_t hash, uint32_t entry)
{
    uint32_t i = hash & slot_mask(m);
    while (m->slots[i].entry1)
        i = (i + 1) & slot_mask(m);
    m->slots[i] = (struct slot){.hash = hash, .entry1 = entry + 1};
}

/* Moves the live entries, packed unless positions are held, into tables for `cap` entries. */
static void rebuild(struct map *m, uint32_t cap)
{
    struct entry *old = m->entries;
    uint32_t old_n = m->used_n;
    mem_free(m->slots);
    m->entries = mem_alloc(cap * sizeof m->entries[0]);
    m->slots = mem_zalloc((size_t)2 * cap * sizeof m->slots[0]);
    m->cap = cap;
    m->used_n = 0;
    for (uint32_t i = 0; i < old_n; i++) {
        if (!old[i].key && m->holds_n == 0)
            continue;
        m->entries[m->used_n] = old[i];
        if (old[i].key)
            fill_slot(m, old[i].hash, m->used_n);
        m->used_n++;
    }
    mem_free(old);
}

/* Before an entry is added. Every rebuild is paid for by the quarter of the array, at least, that
 * was added or removed since the last one. */
static void make_room(struct map *m)
{
    bool is_held = m->holds_n > 0;
    bool is_sparse = m->cap > KEPT_CAP && m->live_n < m->used_n / 8;
    if (m->used_n < m->cap && (is_held || !is_sparse))
        return;
    uint32_t cap = FIRST_CAP, kept_n = is_held ? m->used_n : m->live_n;
    while (cap < kept_n + kept_n / 3 + 1) {
        if (cap > UINT32_MAX / 4)
            log_fatal("map: %u entries are too many", kept_n);
        cap *= 2;
    }
    rebuild(m, cap);
}

void *map_get(const struct map *m, struct span key)
{
    const struct slot *s = find(m, key, hash_of(m, key));
    return s ? m->entries[s->entry1 - 1].value : NULL;
}

void map_set(struct map *m, struct span key, void *value)
{
    uint32_t hash = hash_of(m, key);
    const struct slot *s = find(m, key, hash);
    if (!value || key.len > UINT32_MAX)
        log_fatal("map_set: %s", value ? "the key is too long" : "a value may not be NULL");
    if (s) {
        m->entries[s->entry1 - 1].value = value;
        return;
    }
    make_room(m);
    m->entries[m->used_n] = (struct entry){
        .key = m->is_borrowing ? key.at : (uint8_t *)mem_strndup(key.at, key.len),
        .value = value,
        .hash = hash,
        .key_len = (uint32_t)key.len,
    };
    fill_slot(m, hash, m->used_n++);
    m->live_n++;
}

/* Frees slot i and moves later ones of the same cluster up, so that no probe ends too early. */
static void free_slot(struct map *m, uint32_t i)
{
    uint32_t mask = slot_mask(m);
    for (uint32_t next = (i + 1) & mask; m->slots[next].entry1; next = (next + 1) & mask) {
        uint32_t home = m->slots[next].hash & mask;
        /* `next` may move to i only if that is not before its home. */
        if (((next - home) & mask) < ((next - i) & mask))
            continue;
        m->slots[i] = m->slots[next];
        i = next;
    }
    m->slots[i] = (struct slot){0};
}

/* Makes entry i a gap and joins it with the runs on both sides. */
static void make_gap(struct map *m, uint32_t i)
{
    struct entry *e = m->entries;
    uint32_t first = i, last = i;
    drop_key(m, &e[i]);
    if (i > 0 && !e[i - 1].key)
        first = e[i - 1].run_first;
    if (i + 1 < m->used_n && !e[i + 1].key)
        last = e[i + 1].run_last;
    e[i].run_last = last;
    e[first].run_last = last;
    e[last].run_first = first;
    if (last + 1 == m->used_n && m->holds_n == 0)
        m->used_n = first;
}

static void drop_if_empty(struct map *m)
{
    if (m->live_n == 0 && m->cap > KEPT_CAP && m->holds_n == 0)
        drop_tables(m);
}

void *map_remove(struct map *m, struct span key)
{
    struct slot *s = find(m, key, hash_of(m, key));
    if (!s)
        return NULL;
    uint32_t i = s->entry1 - 1;
    void *value = m->entries[i].value;
    free_slot(m, (uint32_t)(s - m->slots));
    make_gap(m, i);
    m->live_n--;
    drop_if_empty(m);
    return value;
}

void map_hold(struct map *m)
{
    m->holds_n++;
}

void map_let_go(struct map *m)
{
    m->holds_n--;
    drop_if_empty(m);
}

size_t map_len(const struct map *m)
{
    return m->live_n;
}

bool map_next(const struct map *m, size_t *pos, struct span *key, void **value)
{
    while (*pos < m->used_n && !m->entries[*pos].key)
        *pos = (size_t)m->entries[*pos].run_last + 1;
    if (*pos >= m->used_n)
        return false;
    const struct entry *e = &m->entries[(*pos)++];
    if (key)
        *key = span_of(e->key, e->key_len);
    if (value)
        *value = e->value;
    return true;
}
