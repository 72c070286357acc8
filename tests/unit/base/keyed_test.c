/* keyed: against a plain array of flags, through growing, shrinking and runs that wrap around. */
#include "base/keyed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/compiler.h"

enum { OBJECTS_N = 3000, STEPS_N = 200000 };

struct thing {
    uint64_t key;
    int is_in;
};

static uint64_t key_of(const void *object)
{
    return ((const struct thing *)object)->key;
}

static void assert_same(const struct keyed *k, const struct thing *things, size_t n)
{
    size_t in_n = 0, seen_n = 0, pos = 0;
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(keyed_get(k, things[i].key), things[i].is_in ? &things[i] : NULL);
        in_n += (size_t)things[i].is_in;
    }
    for (const struct thing *t = keyed_next(k, &pos); t; t = keyed_next(k, &pos), seen_n++)
        assert_true(t->is_in);
    assert_int_equal(seen_n, in_n);
    assert_int_equal(keyed_len(k), in_n);
}

static void an_empty_one_has_nothing(void **state)
{
    struct keyed *k = keyed_new(key_of);
    size_t pos = 0;
    assert_null(keyed_get(k, 1));
    keyed_remove(k, 1);
    assert_null(keyed_next(k, &pos));
    assert_int_equal(keyed_len(k), 0);
    keyed_free(k);
    keyed_free(NULL);
}

/* Keys 0 and UINT64_MAX are as good as others. Phases with more comings and with more goings let
 * the table grow and shrink. */
static void comings_and_goings(void **state)
{
    static struct thing things[OBJECTS_N];
    struct keyed *k = keyed_new(key_of);
    srandom(7);
    for (size_t i = 0; i < OBJECTS_N; i++)
        things[i].key = i % 2 ? i : UINT64_MAX - i;
    for (size_t step = 0; step < STEPS_N; step++) {
        struct thing *t = &things[(size_t)random() % OBJECTS_N];
        bool wants_in = (size_t)random() % 8 < (step / (STEPS_N / 8)) % 8;
        if (wants_in && !t->is_in)
            keyed_add(k, t);
        else if (!wants_in)
            keyed_remove(k, t->key);
        t->is_in = wants_in;
        if (step % (STEPS_N / 40) == 0)
            assert_same(k, things, OBJECTS_N);
    }
    assert_same(k, things, OBJECTS_N);
    for (size_t i = 0; i < OBJECTS_N; i++) {
        keyed_remove(k, things[i].key);
        things[i].is_in = 0;
        if (i % 500 == 0)
            assert_same(k, things, OBJECTS_N);
    }
    assert_same(k, things, OBJECTS_N);
    keyed_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_has_nothing),
        cmocka_unit_test(comings_and_goings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
