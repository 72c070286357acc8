/* A worker that has stopped speaking gets no new clients, long before it is called silent; which it
 * is at the fourth look that found it quiet. */
#include "gateway/silence.h"

#include "base/clock.h"
#include "gateway_fixture.h"
#include "support/fake_clock.h"

struct pair {
    struct gateway_bench bench;
    int workers[2], clients[16];
    size_t clients_n;
};

static void pass(struct pair *p, uint64_t ms)
{
    fake_clock_advance(ms);
    turn(&p->bench, 5);
}

static void ping(struct pair *p, int worker)
{
    put_packet(p->workers[worker], &(struct wire_packet){.cmd = CMD_PING, .flag = WIRE_SCALAR});
    turn(&p->bench, 5);
}

static void begin(struct pair *p)
{
    *p = (struct pair){0};
    fake_clock_start(clock_mono_ms() - 60000); /* so that the end is on time again */
    bench_start(&p->bench, "");
    for (int i = 0; i < 2; i++) {
        char greeting[96];
        snprintf(greeting, sizeof(greeting),
                 "{\"worker_key\":\"w:%d\",\"secret_key\":\"\",\"gatehouse\":1}", i);
        p->workers[i] = attach_as(&p->bench, greeting);
        turn(&p->bench, 5);
    }
}

static void end(struct pair *p)
{
    for (size_t i = 0; i < p->clients_n; i++)
        close(p->clients[i]);
    close(p->workers[0]);
    close(p->workers[1]);
    fake_clock_stop();
    loop_turn(p->bench.env.loop,
              0); /* sees the real time, before a deadline is made of the other */
    bench_end(&p->bench);
}

/* How many of n new clients went to the first worker. */
static uint64_t first_gets(struct pair *p, int n)
{
    const struct gateway *g = p->bench.self;
    const struct worker *first = workers_at(&g->route.workers, 0);
    uint64_t before = first->record;
    for (int i = 0; i < n; i++) {
        p->clients[p->clients_n++] = dial(&p->bench, 0);
        turn(&p->bench, 5);
    }
    assert_int_equal(clients_len(&g->clients), p->clients_n);
    return first->record - before;
}

static void who_stops_pinging_is_avoided_until_it_speaks(void **state)
{
    struct pair p;
    begin(&p);
    ping(&p, 0);
    ping(&p, 1);
    pass(&p, 2000);
    ping(&p, 1);
    assert_int_equal(first_gets(&p, 4), 2); /* two seconds are no sign of anything */
    pass(&p, 1600);
    assert_int_equal(first_gets(&p, 4), 0);
    assert_int_equal(silence_count(p.bench.self), 0);
    ping(&p, 0);
    assert_int_equal(first_gets(&p, 4), 4); /* which makes it even */
    end(&p);
}

/* A worker of PHP sends no pings, so that its silence tells nothing. */
static void who_never_pinged_may_be_quiet(void **state)
{
    struct pair p;
    begin(&p);
    ping(&p, 1);
    pass(&p, 3600);
    ping(&p, 1);
    assert_int_equal(first_gets(&p, 4), 2);
    end(&p);
}

static void where_all_are_quiet_nobody_is_left_without(void **state)
{
    struct pair p;
    begin(&p);
    ping(&p, 0);
    ping(&p, 1);
    pass(&p, 3600);
    assert_int_equal(first_gets(&p, 4), 2);
    end(&p);
}

/* So long as PULSE_MS each, at the end of which the gateway looks. */
static void looks(struct pair *p, int n)
{
    for (int i = 0; i < n; i++)
        pass(p, PULSE_MS);
}

static void the_fourth_quiet_look_says_silent(void **state)
{
    struct pair p;
    begin(&p);
    const struct gateway *g = p.bench.self;
    ping(&p, 0);
    looks(&p, PULSE_QUIET_MAX);
    assert_int_equal(silence_count(g), 0);
    looks(&p, 1);
    assert_int_equal(silence_count(g), 1); /* the other one never sent a ping */
    looks(&p, 5);
    assert_int_equal(silence_count(g), 1);
    ping(&p, 0);
    assert_int_equal(silence_count(g), 0);
    looks(&p, PULSE_QUIET_MAX);
    assert_int_equal(silence_count(g), 0); /* counted from its last word */
    end(&p);
}

/* It cannot be heard while it is not read from. */
static void who_is_not_read_from_is_not_judged(void **state)
{
    struct pair p;
    begin(&p);
    const struct gateway *g = p.bench.self;
    ping(&p, 0);
    struct conn *conn = workers_at(&g->route.workers, 0)->peer->conn;
    conn_pause(conn);
    looks(&p, 10);
    assert_int_equal(silence_count(g), 0);
    conn_resume(conn);
    looks(&p, PULSE_QUIET_MAX + 1);
    assert_int_equal(silence_count(g), 1);
    end(&p);
}

static void a_silent_worker_keeps_its_clients(void **state)
{
    struct pair p;
    begin(&p);
    ping(&p, 0);
    ping(&p, 1);
    assert_int_equal(first_gets(&p, 1), 1);
    pass(&p, 1);
    looks(&p, PULSE_QUIET_MAX + 1);
    put(p.clients[0], "here\n", 5);
    take_packet(&p.bench, p.workers[0], CMD_HELLO);
    take_packet(&p.bench, p.workers[0], CMD_PONG);
    take_packet(&p.bench, p.workers[0], CMD_ON_CONNECT);
    assert_true(
        span_eq(take_packet(&p.bench, p.workers[0], CMD_ON_MESSAGE).body, span_str("here")));
    end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_stops_pinging_is_avoided_until_it_speaks),
        cmocka_unit_test(who_never_pinged_may_be_quiet),
        cmocka_unit_test(where_all_are_quiet_nobody_is_left_without),
        cmocka_unit_test(the_fourth_quiet_look_says_silent),
        cmocka_unit_test(who_is_not_read_from_is_not_judged),
        cmocka_unit_test(a_silent_worker_keeps_its_clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
