/* A worker that has stopped speaking gets no new clients and no events, long before it is called
 * silent; which it is at the fourth look that found it quiet. */
#include "gateway/silence.h"

#include <string.h>

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

static void read_away(int fd)
{
    uint8_t bytes[4096];
    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
        ;
}

/* A client of each; the first worker has read all that there was, and is silent. */
static void begin_with_clients(struct pair *p)
{
    begin(p);
    ping(p, 0);
    ping(p, 1);
    assert_int_equal(first_gets(p, 2), 1);
    pass(p, 1);
    for (int i = 0; i <= PULSE_QUIET_MAX; i++) {
        looks(p, 1);
        ping(p, 1);
    }
    read_away(p->workers[0]);
    read_away(p->workers[1]);
}

static void say(struct pair *p, int client, const char *line)
{
    put(p->clients[client], line, strlen(line));
    turn(&p->bench, 5);
}

static void hears(struct pair *p, int worker, const char *text)
{
    struct wire_packet got = take_packet(&p->bench, p->workers[worker], CMD_ON_MESSAGE);
    assert_true(span_is(got.body, text));
}

static void a_silent_worker_keeps_its_clients(void **state)
{
    struct pair p;
    uint8_t byte;
    begin_with_clients(&p);
    say(&p, 0, "one\n");
    say(&p, 0, "two\n");
    say(&p, 1, "other\n");
    hears(&p, 1, "other");
    assert_int_equal(recv(p.workers[0], &byte, 1, MSG_DONTWAIT), -1);
    ping(&p, 0);
    say(&p, 0, "three\n");
    hears(&p, 0, "one");
    hears(&p, 0, "two");
    take_packet(&p.bench, p.workers[0], CMD_PONG);
    hears(&p, 0, "three");
    end(&p);
}

static void when_it_is_gone_others_get_what_waited(void **state)
{
    struct pair p;
    begin_with_clients(&p);
    say(&p, 0, "one\n");
    say(&p, 0, "two\n");
    shutdown(p.workers[0], SHUT_RDWR);
    hears(&p, 1, "one");
    hears(&p, 1, "two");
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
        cmocka_unit_test(when_it_is_gone_others_get_what_waited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
