/* The string map: order of insertion, removal during a walk, and one million entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"
#include "support/allocs.h"

static char values[1000];

static struct span key_of(char *text, size_t i)
{
    return span_of(text, (size_t)sprintf(text, "k%zu", i));
}

/* All keys of the map in order, joined by blanks. */
static const char *walk(const struct map *m)
{
    static char out[256];
    size_t pos = 0, len = 0;
    struct span key;
    void *value;
    out[0] = '\0';
    while (map_next(m, &pos, &key, &value))
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%.*s", len ? " " : "", (int)key.len,
                                (const char *)key.at);
    return out;
}

static void set(struct map *m, const char *key)
{
    map_set(m, span_str(key), &values[0]);
}

static void order_of_insertion(void **state)
{
    struct map *m = map_new();
    assert_string_equal(walk(m), "");
    set(m, "b"), set(m, "a"), set(m, "c"), set(m, "d");
    assert_string_equal(walk(m), "b a c d");
    map_set(m, span_str("a"), &values[1]); /* replaced at its place */
    assert_ptr_equal(map_get(m, span_str("a")), &values[1]);
    assert_string_equal(walk(m), "b a c d");
    assert_ptr_equal(map_remove(m, span_str("a")), &values[1]);
    assert_null(map_remove(m, span_str("a")));
    assert_null(map_get(m, span_str("a")));
    assert_string_equal(walk(m), "b c d");
    set(m, "a"); /* again: at the end */
    assert_string_equal(walk(m), "b c d a");
    assert_int_equal(map_len(m), 4);
    map_free(m);
    map_free(NULL);
}

static void keys_are_bytes(void **state)
{
    struct map *m = map_new();
    map_set(m, span_of(NULL, 0), &values[0]);
    map_set(m, span_of("\0", 1), &values[1]);
    map_set(m, span_of("\0\0", 2), &values[2]);
    map_set(m, span_str("0"), &values[3]);
    assert_ptr_equal(map_get(m, span_str("")), &values[0]);
    assert_ptr_equal(map_get(m, span_of("\0", 1)), &values[1]);
    assert_ptr_equal(map_get(m, span_of("\0\0", 2)), &values[2]);
    assert_ptr_equal(map_get(m, span_str("0")), &values[3]);
    map_free(m);
}

/* A span taken before the tables grow and are packed stays good. */
static void keys_stay_where_they_are(void **state)
{
    struct map *m = map_new();
    struct span key;
    void *value;
    size_t pos = 0;
    char text[32];
    set(m, "first");
    assert_true(map_next(m, &pos, &key, &value));
    for (size_t i = 0; i < 10000; i++)
        map_set(m, key_of(text, i), &values[0]);
    for (size_t i = 0; i < 9000; i++)
        assert_non_null(map_remove(m, key_of(text, i)));
    set(m, "packed");
    assert_true(span_is(key, "first"));
    map_free(m);
}

/* Removes entries by a pattern while walking; each entry must be seen exactly once. */
static void borrowed_keys_stay_the_callers(void **state)
{
    struct map *m = map_new_borrowing();
    char names[3][8] = {"ann", "bob", "cid"};
    size_t pos = 0;
    struct span key;
    for (size_t i = 0; i < 3; i++)
        map_set(m, span_str(names[i]), &values[i]);
    assert_string_equal(walk(m), "ann bob cid");
    assert_true(map_next(m, &pos, &key, NULL));
    assert_ptr_equal(key.at, names[0]);
    assert_ptr_equal(map_remove(m, span_str("bob")), &values[1]);
    names[1][0] = 'x'; /* nobody looks at it any more */
    assert_null(map_get(m, span_str("xob")));
    assert_string_equal(walk(m), "ann cid");
    map_free(m);
}

static void removal_during_a_walk(void **state)
{
    enum { N = 300 };
    for (unsigned pattern = 1; pattern < 8; pattern++) {
        struct map *m = map_new();
        char text[32];
        for (size_t i = 0; i < N; i++)
            map_set(m, key_of(text, i), &values[i]);
        struct span key;
        void *value;
        size_t pos = 0, seen = 0;
        while (map_next(m, &pos, &key, &value)) {
            assert_ptr_equal(value, &values[seen]);
            size_t behind = seen / 2;
            if (pattern & 1U << seen % 3)
                assert_ptr_equal(map_remove(m, key), value);
            else if (pattern & 1 && map_get(m, key_of(text, behind)))
                assert_ptr_equal(map_remove(m, key_of(text, behind)), &values[behind]);
            seen++;
        }
        assert_int_equal(seen, N);
        map_free(m);
    }
}

/* Removing what lies ahead of a walk makes the walk skip it, wherever gaps meet. */
static void removal_ahead_of_a_walk(void **state)
{
    struct map *m = map_new();
    struct span key;
    void *value;
    size_t pos = 0;
    for (const char *k = "abcdefgh"; *k; k++)
        map_set(m, span_of(k, 1), &values[0]);
    assert_true(map_next(m, &pos, &key, &value)); /* a */
    for (const char *k = "cebfd"; *k; k++)
        assert_non_null(map_remove(m, span_of(k, 1)));
    assert_true(map_next(m, &pos, &key, &value));
    assert_true(span_is(key, "g"));
    assert_non_null(map_remove(m, span_str("h")));
    assert_false(map_next(m, &pos, &key, &value));
    assert_string_equal(walk(m), "a g");
    map_free(m);
}

/* The same random steps on the map and on an array that is searched linearly. */
static void random_steps(void **state)
{
    enum { KEYS = 200 };
    struct map *m = map_new();
    size_t order[KEYS], n = 0; /* the keys in the map, in order */
    unsigned seed = 7;
    char text[32];
    for (int step = 0; step < 60000; step++) {
        /* Growing and shrinking in turn, so that tables are packed, grown and dropped. */
        bool is_adding = rand_r(&seed) % 100 < (step / 3000 % 2 ? 20 : 80);
        size_t k = (size_t)rand_r(&seed) % KEYS, at = 0;
        while (at < n && order[at] != k)
            at++;
        assert_ptr_equal(map_get(m, key_of(text, k)), at < n ? &values[k] : NULL);
        if (is_adding) {
            map_set(m, key_of(text, k), &values[k]);
            if (at == n)
                order[n++] = k;
        } else {
            assert_ptr_equal(map_remove(m, key_of(text, k)), at < n ? &values[k] : NULL);
            if (at < n)
                memmove(order + at, order + at + 1, (--n - at) * sizeof order[0]);
        }
        assert_int_equal(map_len(m), n);
        if (step % 16)
            continue;
        void *value;
        size_t pos = 0, i = 0;
        while (map_next(m, &pos, NULL, &value))
            assert_ptr_equal(value, &values[order[i++]]);
        assert_int_equal(i, n);
    }
    map_free(m);
}

/* One entry in, one out: the tables must neither grow nor be rebuilt again and again. */
static void steady_state_allocates_only_keys(void **state)
{
    struct map *m = map_new();
    char text[32];
    for (size_t i = 0; i < 1000; i++)
        map_set(m, key_of(text, i), &values[0]);
    struct allocs mark = allocs_mark();
    for (size_t i = 1000; i < 101000; i++) {
        map_set(m, key_of(text, i), &values[0]);
        assert_non_null(map_remove(m, key_of(text, i - 1000)));
    }
    /* One per key, and two per rebuild, which comes at most every 1024 / 4 steps. */
    assert_in_range(allocs_since(mark), 100000, 100000 + 2 * 100000 / 256);
    map_free(m);
}

static void one_million(void **state)
{
    enum { N = 1000 * 1000 };
    struct map *m = map_new();
    char text[32];
    struct span key;
    void *value;
    for (size_t i = 0; i < N; i++)
        map_set(m, key_of(text, i), &values[i % 1000]);
    assert_int_equal(map_len(m), N);
    for (size_t i = 0; i < N; i++)
        assert_ptr_equal(map_get(m, key_of(text, i)), &values[i % 1000]);
    for (size_t i = 1; i < N - 1; i++)
        assert_non_null(map_remove(m, key_of(text, i)));
    /* Two are left at the ends of a million gaps: a million walks take no time. */
    for (size_t i = 0; i < N; i++) {
        size_t pos = 0, seen = 0;
        while (map_next(m, &pos, &key, &value))
            seen++;
        assert_int_equal(seen, 2);
    }
    map_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_insertion),
        cmocka_unit_test(keys_are_bytes),
        cmocka_unit_test(keys_stay_where_they_are),
        cmocka_unit_test(borrowed_keys_stay_the_callers),
        cmocka_unit_test(removal_during_a_walk),
        cmocka_unit_test(removal_ahead_of_a_walk),
        cmocka_unit_test(random_steps),
        cmocka_unit_test(steady_state_allocates_only_keys),
        cmocka_unit_test(one_million),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
