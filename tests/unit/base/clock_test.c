/* Clocks: real time moves on, faked time does not, and time as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "support/fake_clock.h"

static void real_time(void **state)
{
    uint64_t a = clock_mono_us(), b = clock_mono_us();
    assert_true(a <= b);
    assert_true(clock_mono_ms() >= b / 1000);
    assert_true(clock_wall_s() > 1700000000);
}

static void fake_time(void **state)
{
    fake_clock_start(5000);
    assert_int_equal(clock_mono_ms(), 5000);
    fake_clock_advance(7);
    assert_int_equal(clock_mono_us(), 5007000);
    fake_clock_stop();
    assert_true(clock_mono_us() != 5007000);
}

static void as_text(void **state)
{
    char out[20];
    setenv("TZ", "UTC", 1);
    tzset();
    clock_text(1700000000, out, sizeof out);
    assert_string_equal(out, "2023-11-14 22:13:20");
    clock_text(INT64_MAX, out, sizeof out);
    assert_string_equal(out, "");
    setenv("TZ", "CST-8", 1);
    tzset();
    clock_text(1700000000, out, sizeof out);
    assert_string_equal(out, "2023-11-15 06:13:20");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_time),
        cmocka_unit_test(fake_time),
        cmocka_unit_test(as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
