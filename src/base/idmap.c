/* A hash map from 64-bit numbers to pointers: one table, linear probing.
 *
 * A removed entry leaves a mark behind unless a free slot follows: entries never move on a
 * removal, so that removing during a walk neither skips nor repeats one. */
#include "base/idmap.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"

struct id_slot {
    uint64_t id;
    void *value; /* NULL: free; &removed: a mark */
};

struct idmap {
    struct hash_seed seed;
    struct id_slot *slots;
    size_t cap;    /* a power of two, or 0 */
    size_t used_n; /* live entries and marks; at most three quarters of cap */
    size_t live_n;
};

enum { FIRST_CAP = 16, KEPT_CAP = 64 };

static char removed;

static bool is_live(const struct id_slot *s)
{
    return s->value && s->value != &removed;
}

struct idmap *idmap_new(void)
{
    struct idmap *m = mem_zalloc(sizeof *m);
    m->seed = hash_seed();
    return m;
}

void idmap_free(struct idmap *m)
{
    if (!m)
        return;
    mem_free(m->slots);
    mem_free(m);
}

/* The slot that holds id, or the free one where a search for it ends. */
static struct id_slot *find(const struct idmap *m, uint64_t id)
{
    size_t mask = m->cap - 1;
    size_t i = hash_id(m->seed, id) & mask;
    while (m->slots[i].value && (m->slots[i].id != id || m->slots[i].value == &removed))
        i = (i + 1) & mask;
    return &m->slots[i];
}

void *idmap_get(const struct idmap *m, uint64_t id)
{
    return m->live_n ? find(m, id)->value : NULL;
}

static void rebuild(struct idmap *m, size_t cap)
{
    struct id_slot *old = m->slots;
    size_t old_cap = m->cap;
    m->slots = mem_zalloc(cap * sizeof m->slots[0]);
    m->cap = cap;
    m->used_n = m->live_n;
    for (size_t i = 0; i < old_cap; i++)
        if (is_live(&old[i]))
            *find(m, old[i].id) = old[i];
    mem_free(old);
}

/* Before an entry is added: leaves the table at most half full, then waits until it is three
 * quarters full or nearly empty, so that a rebuild is always paid for. */
static void make_room(struct idmap *m)
{
    bool is_sparse = m->cap > KEPT_CAP && m->live_n < m->cap / 16;
    if (m->used_n < m->cap / 4 * 3 && !is_sparse)
        return;
    size_t cap = FIRST_CAP;
    while (cap / 2 < m->live_n + 1)
        cap *= 2;
    rebuild(m, cap);
}

void idmap_set(struct idmap *m, uint64_t id, void *value)
{
    if (!value)
        log_fatal("idmap_set: a value may not be NULL");
    struct id_slot *s = m->live_n ? find(m, id) : NULL;
    if (s && s->value) {
        s->value = value;
        return;
    }
    make_room(m);
    *find(m, id) = (struct id_slot){.id = id, .value = value};
    m->used_n++;
    m->live_n++;
}

/* Marks in front of a free slot lead nowhere: frees them. */
static void free_marks(struct idmap *m, size_t i)
{
    size_t mask = m->cap - 1;
    if (m->slots[(i + 1) & mask].value)
        return;
    while (m->slots[i].value == &removed) {
        m->slots[i].value = NULL;
        m->used_n--;
        i = (i - 1) & mask;
    }
}

void *idmap_remove(struct idmap *m, uint64_t id)
{
    struct id_slot *s = m->live_n ? find(m, id) : NULL;
    if (!s || !s->value)
        return NULL;
    void *value = s->value;
    s->value = &removed;
    free_marks(m, (size_t)(s - m->slots));
    if (--m->live_n == 0 && m->cap > KEPT_CAP) {
        mem_free(m->slots);
        m->slots = NULL;
        m->cap = m->used_n = 0;
    }
    return value;
}

size_t idmap_len(const struct idmap *m)
{
    return m->live_n;
}

bool idmap_next(const struct idmap *m, size_t *pos, uint64_t *id, void **value)
{
    while (*pos < m->cap && !is_live(&m->slots[*pos]))
        (*pos)++;
    if (*pos >= m->cap)
        return false;
    const struct id_slot *s = &m->slots[(*pos)++];
    if (id)
        *id = s->id;
    if (value)
        *value = s->value;
    return true;
}
