/* Token buckets: bursts, refilling, how long to wait, the wrap of their clock. */
#include "base/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int take_all(const struct rate *r, uint32_t *full_at, uint64_t now_ms)
{
    int n = 0;
    while (rate_take(r, full_at, now_ms) && n < 1000000)
        n++;
    return n;
}

static void a_bucket_holds_its_burst_and_refills(void **state)
{
    struct rate r = rate_of(10, 5);
    uint32_t full_at = 0;
    assert_int_equal(take_all(&r, &full_at, 1000), 5);
    assert_false(rate_has_token(&r, full_at, 1099));
    assert_true(rate_has_token(&r, full_at, 1100));
    assert_int_equal(take_all(&r, &full_at, 1100), 1);
    assert_int_equal(take_all(&r, &full_at, 1350), 2);
    assert_int_equal(take_all(&r, &full_at, 60000), 5);
}

/* Each token taken makes it wait that much longer; time passes, and none is missing. */
static void what_is_missing_is_told(void **state)
{
    struct rate r = rate_of(10, 5);
    uint32_t full_at = 0;
    assert_int_equal(rate_missing(&r, full_at, 1000), 0);
    for (uint32_t n = 1; n <= 5; n++) {
        assert_true(rate_take(&r, &full_at, 1000));
        assert_int_equal(rate_missing(&r, full_at, 1000), n * 100 * 256);
    }
    assert_int_equal(rate_missing(&r, full_at, 1400), 100 * 256);
    assert_int_equal(rate_missing(&r, full_at, 1501), 0);
}

static void it_survives_the_wrap(void **state)
{
    struct rate r = rate_of(100, 10);
    uint64_t wrap_ms = (UINT64_C(1) << 32) / 256;
    uint32_t full_at = 0;
    assert_int_equal(take_all(&r, &full_at, wrap_ms - 1), 10);
    assert_int_equal(take_all(&r, &full_at, wrap_ms), 0);
    assert_int_equal(take_all(&r, &full_at, wrap_ms + 9), 1);
    /* Silent for more than half of the clock. */
    assert_int_equal(take_all(&r, &full_at, wrap_ms + wrap_ms / 2 + 5000), 10);
}

static void the_average_is_kept(void **state)
{
    struct rate r = rate_of(250, 250);
    uint32_t full_at = 0;
    int n = 0;
    for (uint64_t now_ms = 0; now_ms < 10000; now_ms++)
        n += rate_take(&r, &full_at, now_ms);
    assert_in_range(n, 2700, 2760); /* 250 a second and the burst */
}

/* A token is there when its wait is over, and not a millisecond before. */
static void waits_are_told(void **state)
{
    struct rate r = rate_of(30, 2);
    uint32_t full_at = 0;
    assert_int_equal(rate_wait_ms(&r, full_at, 5000), 0);
    assert_int_equal(take_all(&r, &full_at, 5000), 2);
    uint64_t ms = rate_wait_ms(&r, full_at, 5000);
    assert_int_equal(ms, 34);
    assert_false(rate_has_token(&r, full_at, 5000 + ms - 1));
    assert_true(rate_has_token(&r, full_at, 5000 + ms));
    assert_int_equal(rate_wait_ms(&r, full_at, 5000 + ms), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_its_burst_and_refills),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(it_survives_the_wrap),
        cmocka_unit_test(the_average_is_kept),
        cmocka_unit_test(waits_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
