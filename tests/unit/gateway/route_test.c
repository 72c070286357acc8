/* Ways of events that the wire alone does not show: who waits where, and what a take-over leaves.
 */
#include "gateway/route.h"

#include "gateway_fixture.h"

static const char *const PHP_WORKER = "{\"worker_key\":\"p:0\",\"secret_key\":\"\"}";

static struct gateway *gateway_of(const struct gateway_bench *b)
{
    return b->self;
}

static void say(int client, const char *line)
{
    put(client, line, strlen(line));
}

static void events_wait_in_order_for_the_first_worker(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int client = dial(&b, 0);
    say(client, "one\ntwo\n");
    turn(&b, 20);
    assert_int_equal(gateway_of(&b)->route.orphans.events_n, 3);
    int worker = attach(&b);
    take_packet(&b, worker, CMD_ON_CONNECT);
    assert_true(span_is(take_packet(&b, worker, CMD_ON_MESSAGE).body, "one"));
    assert_true(span_is(take_packet(&b, worker, CMD_ON_MESSAGE).body, "two"));
    assert_int_equal(gateway_of(&b)->route.orphans.events_n, 0);
    assert_false(timer_is_running(&gateway_of(&b)->route.grace));
    close(client);
    close(worker);
    bench_end(&b);
}

/* docs/wire.md §5: the older link's end must not take the new one's place away, although it
 * comes late, because output still waits there. */
static void the_end_of_an_overtaken_link_changes_nothing(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int older = attach(&b), client = dial(&b, 0);
    take_packet(&b, older, CMD_ON_CONNECT);
    int newer = attach(&b);
    assert_int_equal(workers_len(&gateway_of(&b)->route.workers), 1);
    turn_until_closed(&b, older);
    close(older);
    turn(&b, 20);
    assert_int_equal(workers_len(&gateway_of(&b)->route.workers), 1);
    say(client, "still\n");
    assert_true(span_is(take_packet(&b, newer, CMD_ON_MESSAGE).body, "still"));
    int other = dial(&b, 0);
    assert_int_equal(take_packet(&b, newer, CMD_ON_CONNECT).connection_id, 2);
    close(other);
    close(client);
    close(newer);
    bench_end(&b);
}

static void a_client_that_nobody_serves_in_time_is_closed(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "worker_grace_ms = 1");
    int client = dial(&b, 0);
    turn_until_closed(&b, client);
    assert_in_range(gateway_of(&b)->counts.dropped_n, 1, 2);
    close(client);
    bench_end(&b);
}

/* The orphans' limit pauses the sender; a worker resumes it, and nothing is missing. */
static void a_full_queue_of_orphans_pauses_their_clients(void **state)
{
    enum { LINES_N = 4000, LINE = 100 };
    struct gateway_bench b;
    bench_start(&b, "send_to_worker_buffer_size = 65536");
    int client = dial(&b, 0);
    char line[LINE + 1];
    int sent_n = 0;
    turn(&b, 20);
    for (; sent_n < LINES_N; sent_n++) {
        snprintf(line, sizeof(line), "%0*d\n", LINE - 1, sent_n);
        assert_int_equal(send(client, line, LINE, MSG_NOSIGNAL), LINE);
    }
    turn(&b, 200);
    struct gateway *g = gateway_of(&b);
    assert_true(clients_find(&g->clients, 1)->is_paused);
    assert_in_range(backlog_bytes(&g->route.orphans), 65536, 65536 + 1000);
    int worker = attach(&b);
    take_packet(&b, worker, CMD_ON_CONNECT);
    for (int i = 0; i < LINES_N; i++) {
        snprintf(line, sizeof(line), "%0*d", LINE - 1, i);
        assert_true(span_is(take_packet(&b, worker, CMD_ON_MESSAGE).body, line));
    }
    assert_false(clients_find(&g->clients, 1)->is_paused);
    close(client);
    close(worker);
    bench_end(&b);
}

/* Until nothing waits for it any more. */
static void read_away(const struct gateway_bench *b, int worker)
{
    uint8_t bytes[4096];
    for (int i = 0; i < TURNS_MAX && route_queued_bytes(gateway_of(b)) > 0; i++) {
        turn(b, 1);
        while (recv(worker, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
            ;
    }
    assert_int_equal(route_queued_bytes(gateway_of(b)), 0);
}

/* Nothing slows down a client that says nothing, but its coming and going waits, too. */
static void who_only_comes_and_goes_fills_no_queue(void **state)
{
    enum { LIMIT = 65536, CROWD_N = 8, CROWDS_MAX = 400 };
    struct gateway_bench b;
    bench_start(&b, "send_to_worker_buffer_size = 65536");
    const struct gateway *g = gateway_of(&b);
    for (int i = 0; i < CROWDS_MAX && g->counts.refused_n == 0; i++) {
        int crowd[CROWD_N];
        for (int k = 0; k < CROWD_N; k++)
            crowd[k] = dial(&b, 0);
        turn(&b, 2);
        for (int k = 0; k < CROWD_N; k++)
            close(crowd[k]);
        turn(&b, 2);
    }
    assert_true(g->counts.refused_n > 0);
    assert_in_range(route_queued_bytes(g), 2 * LIMIT, 3 * LIMIT);
    int worker = attach(&b);
    read_away(&b, worker);
    uint64_t refused_n = g->counts.refused_n;
    int client = dial(&b, 0);
    turn(&b, 20);
    assert_int_equal(g->counts.refused_n, refused_n);
    close(client);
    close(worker);
    bench_end(&b);
}

static void lost_events_are_known_of_our_workers(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int ours = attach(&b), client = dial(&b, 0);
    take_packet(&b, ours, CMD_ON_CONNECT);
    say(client, "a\n");
    say(client, "b\n");
    take_packet(&b, ours, CMD_ON_MESSAGE);
    take_packet(&b, ours, CMD_ON_MESSAGE);
    static const uint8_t two[] = {0, 0, 0, 2};
    put_cmd(ours, CMD_DONE, 0, span_of(NULL, 0), span_of(two, sizeof(two)));
    turn(&b, 20);
    close(ours);
    turn(&b, 20);
    assert_int_equal(gateway_of(&b)->counts.lost_n, 1);

    int php = attach_as(&b, PHP_WORKER);
    say(client, "c\n");
    assert_true(span_is(take_packet(&b, php, CMD_ON_MESSAGE).body, "c"));
    close(php);
    turn(&b, 20);
    assert_int_equal(gateway_of(&b)->counts.lost_n, 1);
    close(client);
    bench_end(&b);
}

/* A peer that did not offer an extension never sees one: docs/wire.md §3. */
static void extensions_are_for_those_who_offered_them(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int php = attach_as(&b, PHP_WORKER);
    put_cmd(php, CMD_DRAIN, 0, span_of(NULL, 0), span_of(NULL, 0));
    put_cmd(php, CMD_RECEIPT, 0, span_of(NULL, 0), span_of(NULL, 0));
    put_cmd(php, CMD_JOIN_GROUP, 1, span_str("0"), span_of(NULL, 0));
    int client = dial(&b, 0);
    take_packet(&b, php, CMD_ON_CONNECT); /* neither CMD_HELLO nor CMD_DRAIN_MARK came */
    put_cmd(php, CMD_IS_ONLINE, 1, span_of(NULL, 0), span_of(NULL, 0));
    uint8_t reply[8];
    take(&b, php, reply, sizeof(reply));
    assert_memory_equal(reply, "\0\0\0\4i:1;", 8);
    close(client);
    close(php);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_wait_in_order_for_the_first_worker),
        cmocka_unit_test(the_end_of_an_overtaken_link_changes_nothing),
        cmocka_unit_test(a_client_that_nobody_serves_in_time_is_closed),
        cmocka_unit_test(a_full_queue_of_orphans_pauses_their_clients),
        cmocka_unit_test(who_only_comes_and_goes_fills_no_queue),
        cmocka_unit_test(lost_events_are_known_of_our_workers),
        cmocka_unit_test(extensions_are_for_those_who_offered_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
