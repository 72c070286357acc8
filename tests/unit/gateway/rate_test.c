/* Token buckets: bursts, refilling, the wrap of their clock; and clients that are too fast. */
#include "gateway/rate.h"

#include "gateway_fixture.h"

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

/* Of 40 lines in one read 10 are a burst; the eleventh ends the client. */
static void who_is_too_fast_is_closed(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "max_messages_per_second = 10");
    int worker = attach(&b), client = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    for (int i = 0; i < 40; i++)
        put(client, "x\n", 2);
    for (int i = 0; i < 10; i++)
        take_packet(&b, worker, CMD_ON_MESSAGE);
    take_packet(&b, worker, CMD_ON_CLOSE);
    struct role_status status = {0};
    gateway_role.status(b.self, &status);
    assert_int_equal(status.limited_n, 1);
    close(client);
    close(worker);
    bench_end(&b);
}

/* All 40 arrive, but those beyond the burst take their time: 35 of them at 50 a second. */
static void or_is_read_later(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "max_messages_per_second = 50\nmessage_burst = 5\non_rate = delay");
    int worker = attach(&b), client = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    uint64_t began_ms = loop_now_ms(b.env.loop);
    for (int i = 0; i < 40; i++)
        put(client, "x\n", 2);
    for (int i = 0; i < 40; i++)
        take_packet(&b, worker, CMD_ON_MESSAGE);
    assert_true(loop_now_ms(b.env.loop) - began_ms >= 35 * 20 - 20);
    struct role_status status = {0};
    gateway_role.status(b.self, &status);
    assert_true(status.limited_n >= 1);
    assert_int_equal(status.connections_n, 1);
    close(client);
    take_packet(&b, worker, CMD_ON_CLOSE);
    close(worker);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_its_burst_and_refills),
        cmocka_unit_test(it_survives_the_wrap),
        cmocka_unit_test(the_average_is_kept),
        cmocka_unit_test(who_is_too_fast_is_closed),
        cmocka_unit_test(or_is_read_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
