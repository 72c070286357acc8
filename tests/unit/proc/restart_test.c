/* The delay before a crashed process is started again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "proc/restart.h"

static void test_delay_grows_to_the_limit(void **state)
{
    static const uint64_t want_ms[] = {0, 100, 200, 400, 800, 1600, 3000, 3000};
    struct restart r = {0};
    for (size_t i = 0; i < ARRAY_LEN(want_ms); i++)
        assert_int_equal(restart_delay_ms(&r, 0, 3000), want_ms[i]);
}

static void test_a_long_life_starts_anew(void **state)
{
    struct restart r = {0};
    for (int i = 0; i < 5; i++)
        (void)restart_delay_ms(&r, 10, 3000);
    assert_int_equal(restart_delay_ms(&r, RESTART_HEALTHY_MS - 1, 3000), 1600);
    assert_int_equal(restart_delay_ms(&r, RESTART_HEALTHY_MS, 3000), 0);
    assert_int_equal(restart_delay_ms(&r, 0, 3000), 100);
}

static void test_small_limits(void **state)
{
    struct restart r = {0};
    assert_int_equal(restart_delay_ms(&r, 0, 0), 0);
    assert_int_equal(restart_delay_ms(&r, 0, 0), 0);
    assert_int_equal(restart_delay_ms(&r, 0, 150), 150);
}

static void test_a_million_crashes_do_not_overflow(void **state)
{
    struct restart r = {.failures_n = 1000000};
    assert_int_equal(restart_delay_ms(&r, 0, 3600000), 3600000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delay_grows_to_the_limit),
        cmocka_unit_test(test_a_long_life_starts_anew),
        cmocka_unit_test(test_small_limits),
        cmocka_unit_test(test_a_million_crashes_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
