/* nameset: against a plain array of flags, through growing, shrinking and runs that wrap around. */
#include "base/nameset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NAMES_N = 3000, STEPS_N = 100000 };

static struct span name_of(long number)
{
    static char text[32];
    int len = snprintf(text, sizeof text, "room/%ld", number);
    return span_of(text, (size_t)len);
}

static void an_empty_one_has_nothing(void **state)
{
    struct nameset s = {0};
    assert_false(nameset_has(&s, name_of(1)));
    nameset_remove(&s, name_of(1));
    assert_int_equal(nameset_bytes(&s), 0);
    nameset_fini(&s);
}

static void a_name_is_in_once(void **state)
{
    struct nameset s = {0};
    nameset_add(&s, name_of(1));
    nameset_add(&s, name_of(1));
    assert_int_equal(s.len, 1);
    nameset_remove(&s, name_of(1));
    assert_false(nameset_has(&s, name_of(1)));
    nameset_add(&s, span_of("a\0b", 3));
    assert_true(nameset_has(&s, span_of("a\0b", 3)));
    assert_false(nameset_has(&s, span_of("a\0c", 3)));
    nameset_fini(&s);
}

static void comings_and_goings(void **state)
{
    static bool is_in[NAMES_N];
    struct nameset s = {0};
    size_t in_n = 0;
    srandom(7);
    for (long step = 0; step < STEPS_N; step++) {
        long i = random() % NAMES_N;
        bool comes = random() % 100 < (step / 10000 % 2 ? 10 : 90);
        in_n += (size_t)comes - (size_t)is_in[i];
        is_in[i] = comes;
        if (comes)
            nameset_add(&s, name_of(i));
        else
            nameset_remove(&s, name_of(i));
        assert_int_equal(s.len, in_n);
        long other = random() % NAMES_N;
        assert_int_equal(nameset_has(&s, name_of(other)), is_in[other]);
    }
    for (long i = 0; i < NAMES_N; i++)
        assert_int_equal(nameset_has(&s, name_of(i)), is_in[i]);
    nameset_fini(&s);
}

/* What docs/scale.md and the limit of a gateway's names reckon with. */
static void a_name_costs_eight_to_sixteen_bytes(void **state)
{
    struct nameset s = {0};
    for (long i = 0; i < 10000; i++)
        nameset_add(&s, name_of(i));
    assert_int_equal(nameset_bytes(&s), 16384 * 8);
    nameset_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_one_has_nothing),
        cmocka_unit_test(a_name_is_in_once),
        cmocka_unit_test(comings_and_goings),
        cmocka_unit_test(a_name_costs_eight_to_sixteen_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
