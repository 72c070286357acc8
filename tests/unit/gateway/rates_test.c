/* Clients that send too fast: closed, or read later. */
#include "gateway/rates.h"

#include "gateway_fixture.h"

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
        cmocka_unit_test(who_is_too_fast_is_closed),
        cmocka_unit_test(or_is_read_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
