/* Pools: zero-filled objects, free ones reused, nothing allocated once warm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/pool.h"
#include "support/allocs.h"

enum { N = 5000, BYTES = 100 };

static void objects_do_not_overlap(void **state)
{
    static unsigned char *all[N];
    struct pool *p = pool_new(BYTES);
    for (int i = 0; i < N; i++) {
        all[i] = pool_take(p);
        assert_int_equal((uintptr_t)all[i] % _Alignof(void *), 0);
        for (int k = 0; k < BYTES; k++)
            assert_int_equal(all[i][k], 0);
        memset(all[i], i % 251 + 1, BYTES);
    }
    for (int i = 0; i < N; i++)
        for (int k = 0; k < BYTES; k++)
            assert_int_equal(all[i][k], i % 251 + 1);
    assert_int_equal(pool_used_n(p), N);
    pool_free(p);
}

static void given_objects_come_first_and_empty(void **state)
{
    struct pool *p = pool_new(1);
    char *a = pool_take(p), *b = pool_take(p);
    *a = *b = 'x';
    pool_give(p, a);
    pool_give(p, NULL);
    assert_int_equal(pool_used_n(p), 1);
    assert_ptr_equal(pool_take(p), a);
    assert_int_equal(*a, 0);
    struct allocs mark = allocs_mark();
    for (int i = 0; i < 1000; i++) {
        a = pool_take(p);
        pool_give(p, a);
    }
    assert_int_equal(allocs_since(mark), 0);
    pool_free(p);
    pool_free(NULL);
}

/* Marks what a walk visits; objects in use carry their number behind the first pointer. */
static size_t walk(const struct pool *p, bool *seen)
{
    struct pool_walk w = {0};
    size_t used_n = 0;
    memset(seen, 0, N * sizeof(*seen));
    for (const size_t *at = pool_next(p, &w); at; at = pool_next(p, &w)) {
        if (at[1] == SIZE_MAX)
            continue;
        assert_false(seen[at[1]]);
        seen[at[1]] = true;
        used_n++;
    }
    return used_n;
}

static void a_walk_visits_every_object_once(void **state)
{
    static size_t *all[N];
    static bool seen[N];
    struct pool *p = pool_new(BYTES);
    assert_int_equal(walk(p, seen), 0);
    for (size_t i = 0; i < N; i++) {
        all[i] = pool_take(p);
        all[i][1] = i;
    }
    assert_int_equal(walk(p, seen), N);
    for (size_t i = 0; i < N; i += 2) {
        all[i][1] = SIZE_MAX;
        pool_give(p, all[i]);
    }
    assert_int_equal(walk(p, seen), N / 2);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(seen[i], i % 2);
    pool_free(p);
}

static void whole_lines_start_on_cache_lines(void **state)
{
    struct pool *p = pool_new(128);
    for (int i = 0; i < N; i++)
        assert_int_equal((uintptr_t)pool_take(p) % 64, 0);
    pool_free(p);
}

static void objects_larger_than_a_slab(void **state)
{
    struct pool *p = pool_new(200 * 1000);
    char *a = pool_take(p), *b = pool_take(p);
    memset(a, 1, 200 * 1000);
    memset(b, 2, 200 * 1000);
    assert_int_equal(a[0], 1);
    assert_int_equal(a[200 * 1000 - 1], 1);
    pool_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_do_not_overlap),
        cmocka_unit_test(given_objects_come_first_and_empty),
        cmocka_unit_test(a_walk_visits_every_object_once),
        cmocka_unit_test(whole_lines_start_on_cache_lines),
        cmocka_unit_test(objects_larger_than_a_slab),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
