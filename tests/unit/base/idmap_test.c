/* The map of numbers: every id found, walks that survive removals, one million entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/idmap.h"
#include "support/allocs.h"

static char values[1000];

static void basics(void **state)
{
    struct idmap *m = idmap_new();
    assert_null(idmap_get(m, 0));
    assert_null(idmap_remove(m, 0));
    idmap_set(m, 0, &values[1]);
    idmap_set(m, UINT64_MAX, &values[2]);
    idmap_set(m, 0, &values[3]);
    assert_ptr_equal(idmap_get(m, 0), &values[3]);
    assert_ptr_equal(idmap_get(m, UINT64_MAX), &values[2]);
    assert_int_equal(idmap_len(m), 2);
    assert_ptr_equal(idmap_remove(m, 0), &values[3]);
    assert_null(idmap_get(m, 0));
    assert_int_equal(idmap_len(m), 1);
    idmap_free(m);
    idmap_free(NULL);
}

static void removal_during_a_walk(void **state)
{
    enum { N = 500 };
    struct idmap *m = idmap_new();
    bool is_seen[N] = {false};
    for (uint64_t i = 0; i < N; i++)
        idmap_set(m, i, &values[i]);
    uint64_t id;
    void *value;
    size_t pos = 0, seen = 0;
    while (idmap_next(m, &pos, &id, &value)) {
        assert_ptr_equal(value, &values[id]);
        assert_false(is_seen[id]);
        is_seen[id] = true;
        seen++;
        if (id % 3)
            assert_ptr_equal(idmap_remove(m, id), value);
    }
    assert_int_equal(seen, N);
    assert_int_equal(idmap_len(m), (N + 2) / 3);
    idmap_free(m);
}

static void random_steps(void **state)
{
    enum { IDS = 300 };
    struct idmap *m = idmap_new();
    bool is_in[IDS] = {false};
    size_t n = 0;
    unsigned seed = 3;
    for (int step = 0; step < 100000; step++) {
        bool is_adding = rand_r(&seed) % 100 < (step / 5000 % 2 ? 20 : 80);
        size_t id = (size_t)rand_r(&seed) % IDS;
        void *want = is_in[id] ? &values[id] : NULL;
        assert_ptr_equal(idmap_get(m, id), want);
        if (is_adding)
            idmap_set(m, id, &values[id]);
        else
            assert_ptr_equal(idmap_remove(m, id), want);
        n += (size_t)is_adding - (size_t)is_in[id];
        is_in[id] = is_adding;
        assert_int_equal(idmap_len(m), n);
    }
    idmap_free(m);
}

/* Connection ids only ever rise: marks of old ones must not fill the table. */
static void rising_ids_do_not_grow_it(void **state)
{
    struct idmap *m = idmap_new();
    for (uint64_t i = 0; i < 1000; i++)
        idmap_set(m, i, &values[0]);
    struct allocs mark = allocs_mark();
    for (uint64_t i = 1000; i < 101000; i++) {
        idmap_set(m, i, &values[0]);
        assert_non_null(idmap_remove(m, i - 1000));
    }
    assert_in_range(allocs_since(mark), 0, 100000 / 256);
    assert_int_equal(idmap_len(m), 1000);
    idmap_free(m);
}

static void one_million(void **state)
{
    enum { N = 1000 * 1000 };
    struct idmap *m = idmap_new();
    for (uint64_t i = 0; i < N; i++)
        idmap_set(m, i, &values[i % 1000]);
    for (uint64_t i = 0; i < N; i++)
        assert_ptr_equal(idmap_get(m, i), &values[i % 1000]);
    assert_null(idmap_get(m, N));
    for (uint64_t i = 0; i < N; i++)
        assert_non_null(idmap_remove(m, i));
    assert_int_equal(idmap_len(m), 0);
    size_t pos = 0;
    assert_false(idmap_next(m, &pos, NULL, NULL));
    idmap_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(basics),       cmocka_unit_test(removal_during_a_walk),
        cmocka_unit_test(random_steps), cmocka_unit_test(rising_ids_do_not_grow_it),
        cmocka_unit_test(one_million),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
