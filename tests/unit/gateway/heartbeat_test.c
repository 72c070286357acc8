/* The counting of silent clients, tick by tick. */
#include "gateway/heartbeat.h"

#include "base/clock.h"

#include "gateway_fixture.h"

#include "support/fake_clock.h"

enum { QUIET = HEARTBEAT_QUIET, PING = HEARTBEAT_PING, DROP = HEARTBEAT_DROP };

static void check_ticks(int64_t limit, const int *expected, size_t n)
{
    int32_t silent_n = -1;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(heartbeat_visit(&silent_n, limit), expected[i]);
}

/* worker-gateway.json heartbeat_nolimit: the first tick after activity only moves the counter. */
static void without_limit_pings_go_on(void **state)
{
    static const int expected[] = {QUIET, PING, PING, PING, PING, PING, PING, PING};
    check_ticks(0, expected, 8);
}

/* heartbeat_limit1: counter -1, 0, 1, 2: a ping at 2, dropped when it is 2 at the next tick. */
static void limit_1(void **state)
{
    static const int expected[] = {QUIET, QUIET, PING, DROP};
    check_ticks(1, expected, 4);
}

static void limit_2(void **state)
{
    static const int expected[] = {QUIET, QUIET, PING, QUIET, PING, DROP};
    check_ticks(2, expected, 6);
}

static void a_message_begins_anew(void **state)
{
    int32_t silent_n = -1;
    for (int round = 0; round < 10; round++) {
        assert_int_equal(heartbeat_visit(&silent_n, 1), QUIET);
        assert_int_equal(heartbeat_visit(&silent_n, 1), QUIET);
        assert_int_equal(heartbeat_visit(&silent_n, 1), PING);
        silent_n = -1;
    }
}

static void the_counter_does_not_overflow(void **state)
{
    int32_t silent_n = INT32_MAX - 3;
    for (int i = 0; i < 10; i++)
        assert_int_equal(heartbeat_visit(&silent_n, 0), PING);
    assert_in_range(silent_n, INT32_MAX - 3, INT32_MAX);
}

/* Stopped for a minute (SIGSTOP, a virtual machine moved): nobody had time to answer. */
static void missed_ticks_are_not_made_up_for(void **state)
{
    struct gateway_bench b;
    fake_clock_start(clock_mono_ms() - 60000); /* so that the end is on time again */
    bench_start(&b, "ping_interval = 1\nping_not_response_limit = 1\nping_data = ping");
    int worker = attach(&b);
    int fd = dial(&b, 0);
    turn(&b, 20);
    fake_clock_advance(60000);
    turn(&b, 200);
    uint8_t text[64];
    ssize_t n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
    assert_true(n < 0 || (n > 0 && n < (ssize_t)sizeof(text)));
    assert_int_equal(clients_len(&((struct gateway *)b.self)->clients), 1);
    close(fd);
    close(worker);
    fake_clock_stop();
    loop_turn(b.env.loop, 0); /* sees the real time, before a deadline is made of the other one */
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_limit_pings_go_on),
        cmocka_unit_test(limit_1),
        cmocka_unit_test(limit_2),
        cmocka_unit_test(a_message_begins_anew),
        cmocka_unit_test(the_counter_does_not_overflow),
        cmocka_unit_test(missed_ticks_are_not_made_up_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
