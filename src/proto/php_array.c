/* PHP's ordered arrays: entries in the order they came, found by key through a hash table. */
#include "base/hash.h"
#include "proto/php_value.h"

enum { SLOT_EMPTY = UINT32_MAX, ENTRIES_FIRST = 4 };

static uint32_t hash_key(const struct php_key *key)
{
    if (key->is_int)
        return (uint32_t)hash_u64(hash_seed(), (uint64_t)key->num);
    return (uint32_t)hash_bytes(hash_seed(), key->text);
}

static bool is_key_of(const struct php_entry *e, const struct php_key *key)
{
    if (e->is_int != key->is_int)
        return false;
    if (e->is_int)
        return e->key.num == key->num;
    return span_eq(span_of(e->key.text, e->key_len), key->text);
}

static struct php_key key_of_entry(const struct php_entry *e)
{
    if (e->is_int)
        return (struct php_key){.is_int = true, .num = e->key.num};
    return (struct php_key){.text = span_of(e->key.text, e->key_len)};
}

static void put_slot(struct php_array *a, uint32_t pos)
{
    uint32_t mask = a->slots_n - 1;
    uint32_t at = a->entries[pos].hash & mask;

    while (a->slots[at] != SLOT_EMPTY)
        at = (at + 1) & mask;
    a->slots[at] = pos;
}

/* Makes a table of at least twice the entries' capacity, so that probing stays short. Small arrays
 * get here with no hashes yet. */
static void rebuild_slots(struct php_doc *d, struct php_array *a)
{
    uint32_t slots_n = 4 * PHP_SCAN_MAX;
    bool is_first = !a->slots;

    while (slots_n < 2 * (uint64_t)a->entries_cap)
        slots_n *= 2;
    if (slots_n != a->slots_n) {
        a->slots = php_doc_alloc(d, slots_n * sizeof a->slots[0]);
        a->slots_n = slots_n;
    }
    memset(a->slots, 0xff, slots_n * sizeof a->slots[0]);
    for (uint32_t pos = 0; pos < a->entries_n; pos++) {
        struct php_key key = key_of_entry(&a->entries[pos]);
        if (is_first)
            a->entries[pos].hash = hash_key(&key);
        put_slot(a, pos);
    }
}

/* An unset entry stays in the table as a hole that never matches, until the array grows. */
static struct php_entry *find(const struct php_array *a, const struct php_key *key, uint32_t hash)
{
    if (!a->slots) {
        for (uint32_t pos = 0; pos < a->entries_n; pos++)
            if (a->entries[pos].value && is_key_of(&a->entries[pos], key))
                return &a->entries[pos];
        return NULL;
    }
    uint32_t mask = a->slots_n - 1;
    for (uint32_t at = hash & mask; a->slots[at] != SLOT_EMPTY; at = (at + 1) & mask) {
        struct php_entry *e = &a->entries[a->slots[at]];
        if (e->value && e->hash == hash && is_key_of(e, key))
            return e;
    }
    return NULL;
}

static uint32_t hash_if_needed(const struct php_array *a, const struct php_key *key)
{
    return a->slots ? hash_key(key) : 0;
}

static void squeeze_holes(struct php_array *a)
{
    uint32_t kept = 0;

    for (uint32_t pos = 0; pos < a->entries_n; pos++)
        if (a->entries[pos].value)
            a->entries[kept++] = a->entries[pos];
    a->entries_n = kept;
}

/* The old memory stays in the arena: with doubling that is at most as much again. */
static void make_room(struct php_doc *d, struct php_array *a)
{
    if (a->entries_n < a->entries_cap)
        return;
    if (a->len > a->entries_n / 2 || a->entries_n < ENTRIES_FIRST) {
        uint32_t cap = a->entries_cap > 0 ? 2 * a->entries_cap : ENTRIES_FIRST;
        struct php_entry *entries = php_doc_alloc(d, cap * sizeof entries[0]);
        if (a->entries_n > 0)
            memcpy(entries, a->entries, a->entries_n * sizeof entries[0]);
        a->entries = entries;
        a->entries_cap = cap;
    }
    squeeze_holes(a);
    if (a->slots)
        rebuild_slots(d, a);
}

/* As PHP 8.2 numbers appended values: behind the largest key, also a negative one; 0 at first. */
static void note_number(struct php_array *a, int64_t num)
{
    if (num == INT64_MAX)
        a->is_full = true;
    else if (num >= a->next_free)
        a->next_free = num + 1;
}

void php_set_over(struct php_doc *d, struct php_value *array, struct php_key key,
                  const struct php_value *v)
{
    struct php_array *a = array->as.array;
    struct php_entry *there = find(a, &key, hash_if_needed(a, &key));

    if (there) {
        there->value = v;
        return;
    }
    make_room(d, a);
    struct php_entry *e = &a->entries[a->entries_n++];
    *e = (struct php_entry){.value = v, .is_int = key.is_int, .hash = hash_if_needed(a, &key)};
    if (key.is_int) {
        e->key.num = key.num;
        note_number(a, key.num);
    } else {
        e->key.text = key.text.at;
        e->key_len = (uint32_t)key.text.len;
    }
    a->len++;
    if (a->slots)
        put_slot(a, a->entries_n - 1);
    else if (a->entries_n > PHP_SCAN_MAX)
        rebuild_slots(d, a);
}

void php_set(struct php_doc *d, struct php_value *array, struct php_key key, struct php_value *v)
{
    struct php_array *a = array->as.array;

    if (!key.is_int && !find(a, &key, hash_if_needed(a, &key)))
        key.text = php_string(php_new_string(d, key.text));
    php_set_over(d, array, key, v);
}

void php_append(struct php_doc *d, struct php_value *array, struct php_value *v)
{
    struct php_array *a = array->as.array;
    int64_t num = a->next_free == INT64_MIN ? 0 : a->next_free;

    if (!a->is_full)
        php_set_over(d, array, (struct php_key){.is_int = true, .num = num}, v);
}

bool php_unset(struct php_value *array, struct php_key key)
{
    struct php_array *a = array->as.array;
    struct php_entry *e = find(a, &key, hash_if_needed(a, &key));

    if (!e)
        return false;
    e->value = NULL;
    a->len--;
    return true;
}

size_t php_len(const struct php_value *array)
{
    return array->type == PHP_ARRAY ? array->as.array->len : 0;
}

bool php_next(const struct php_value *array, size_t *pos, struct php_key *key,
              const struct php_value **value)
{
    if (array->type != PHP_ARRAY)
        return false;
    const struct php_array *a = array->as.array;
    while (*pos < a->entries_n) {
        const struct php_entry *e = &a->entries[(*pos)++];
        if (!e->value)
            continue;
        *key = key_of_entry(e);
        *value = e->value;
        return true;
    }
    return false;
}

const struct php_value *php_get_key(const struct php_value *array, const struct php_key *key)
{
    if (array->type != PHP_ARRAY)
        return NULL;
    const struct php_array *a = array->as.array;
    const struct php_entry *e = find(a, key, hash_if_needed(a, key));
    return e ? e->value : NULL;
}

const struct php_value *php_get(const struct php_value *array, const char *key)
{
    struct php_key k = php_key_of(span_str(key));

    return php_get_key(array, &k);
}

static bool is_same_key(const struct php_key *a, const struct php_key *b)
{
    return a->is_int == b->is_int && (a->is_int ? a->num == b->num : span_eq(a->text, b->text));
}

static bool is_same_array(const struct php_value *a, const struct php_value *b)
{
    const struct php_value *va, *vb;
    struct php_key ka, kb;
    size_t pa = 0, pb = 0;

    if (php_len(a) != php_len(b))
        return false;
    while (php_next(a, &pa, &ka, &va) && php_next(b, &pb, &kb, &vb))
        if (!is_same_key(&ka, &kb) || !php_is_equal(va, vb))
            return false;
    return true;
}

bool php_is_equal(const struct php_value *a, const struct php_value *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case PHP_NULL:
        return true;
    case PHP_BOOL:
        return a->as.boolean == b->as.boolean;
    case PHP_INT:
        return a->as.num == b->as.num;
    case PHP_FLOAT:
        return a->as.real == b->as.real; /* as ===: NAN differs from itself, -0.0 equals 0.0 */
    case PHP_STRING:
        return span_eq(php_string(a), php_string(b));
    case PHP_ARRAY:
        return is_same_array(a, b);
    }
    return false;
}

/* vectors/session-merge.json: where both sides hold an array they are merged, else the update
 * wins. Depth is bounded by what php_read() accepts. */
struct php_value *php_merge(struct php_doc *d, const struct php_value *base,
                            const struct php_value *update)
{
    struct php_value *merged = php_new_array_sized(d, php_len(base));
    const struct php_value *v;
    struct php_key key;
    size_t pos = 0;

    while (php_next(base, &pos, &key, &v))
        php_set_over(d, merged, key, v);
    pos = 0;
    while (php_next(update, &pos, &key, &v)) {
        const struct php_value *old = php_get_key(merged, &key);
        if (old && old->type == PHP_ARRAY && v->type == PHP_ARRAY)
            v = php_merge(d, old, v);
        php_set_over(d, merged, key, v);
    }
    return merged;
}
