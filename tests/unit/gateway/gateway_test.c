/* A whole gateway process in the test's own loop: what passes through, and what it costs. */
#include "gateway/gateway.h"

#include "gateway_fixture.h"
#include "support/allocs.h"

static void echo(const struct gateway_bench *b, int client, int worker)
{
    uint8_t back[6];
    put(client, "hello\n", 6);
    struct wire_packet event = take_packet(b, worker, CMD_ON_MESSAGE);
    put_packet(worker, &(struct wire_packet){.cmd = CMD_SEND_TO_ONE,
                                             .flag = WIRE_SCALAR,
                                             .connection_id = event.connection_id,
                                             .body = event.body});
    take(b, client, back, 6);
    assert_memory_equal(back, "hello\n", 6);
}

/* Style §2, memory: a test counts allocations over 1,000 echoes and expects none. */
static void echoes_need_no_memory_once_warm(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int worker = attach(&b), client = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    for (int i = 0; i < 10; i++)
        echo(&b, client, worker);
    struct allocs mark = allocs_mark();
    for (int i = 0; i < 1000; i++)
        echo(&b, client, worker);
    assert_int_equal(allocs_since(mark), 0);
    close(client);
    take_packet(&b, worker, CMD_ON_CLOSE);
    close(worker);
    bench_end(&b);
}

static void broadcasts_need_no_memory_once_warm(void **state)
{
    enum { CLIENTS_N = 20 };
    struct gateway_bench b;
    bench_start(&b, "");
    int worker = attach(&b), clients[CLIENTS_N];
    for (uint32_t i = 0; i < CLIENTS_N; i++) {
        clients[i] = dial(&b, 0);
        take_packet(&b, worker, CMD_ON_CONNECT);
        put_packet(worker, &(struct wire_packet){.cmd = CMD_JOIN_GROUP,
                                                 .flag = WIRE_SCALAR,
                                                 .connection_id = i + 1,
                                                 .ext = span_str("room")});
    }
    struct allocs mark = {0};
    for (int round = 0; round < 210; round++) {
        if (round == 10)
            mark = allocs_mark();
        put_packet(worker, &(struct wire_packet){
                               .cmd = CMD_SEND_TO_GROUP,
                               .flag = WIRE_SCALAR,
                               .ext = span_str("{\"group\":[\"room\"],\"exclude\":{\"1\":1}}"),
                               .body = span_str("news")});
        put_packet(worker, &(struct wire_packet){.cmd = CMD_RECEIPT, .flag = WIRE_SCALAR});
        assert_true(span_is(take_packet(&b, worker, CMD_REPLY).body, "i:19;"));
        uint8_t got[5];
        for (int i = 1; i < CLIENTS_N; i++)
            take(&b, clients[i], got, 5);
        assert_memory_equal(got, "news\n", 5);
    }
    assert_int_equal(allocs_since(mark), 0);
    uint8_t none;
    assert_int_equal(recv(clients[0], &none, 1, MSG_DONTWAIT), -1);
    for (int i = 0; i < CLIENTS_N; i++)
        close(clients[i]);
    close(worker);
    bench_end(&b);
}

static void limits_of_connections(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "max_connections_per_address = 2");
    int worker = attach(&b), first = dial(&b, 0), second = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    take_packet(&b, worker, CMD_ON_CONNECT);
    int third = dial(&b, 0);
    turn_until_closed(&b, third);
    close(first);
    take_packet(&b, worker, CMD_ON_CLOSE);
    int fourth = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    struct role_status status = {0};
    gateway_role.status(b.self, &status);
    assert_int_equal(status.connections_n, 2);
    for (size_t i = 0; i < 4; i++)
        close((int[]){second, third, fourth, worker}[i]);
    bench_end(&b);
}

/* One a second and ten at once; the eleventh costs nobody a look. */
static void limit_of_arrivals(void **state)
{
    enum { BURST_N = 10 };
    struct gateway_bench b;
    bench_start(&b, "max_handshakes_per_address = 1");
    int worker = attach(&b), clients[BURST_N];
    for (size_t i = 0; i < BURST_N; i++) {
        clients[i] = dial(&b, 0);
        take_packet(&b, worker, CMD_ON_CONNECT);
    }
    struct role_status status = {0};
    int late = dial(&b, 0);
    turn_until_closed(&b, late);
    gateway_role.status(b.self, &status);
    assert_int_equal(status.connections_n, BURST_N);
    assert_int_equal(status.refused_n, 1);
    for (size_t i = 0; i < BURST_N; i++)
        close(clients[i]);
    close(late);
    close(worker);
    bench_end(&b);
}

/* "b" twice is one group; "c" is one too many, until "a" is left. */
static void limit_of_groups(void **state)
{
    static const struct {
        uint8_t cmd;
        const char *group;
    } steps[] = {{CMD_JOIN_GROUP, "a"}, {CMD_JOIN_GROUP, "b"},  {CMD_JOIN_GROUP, "b"},
                 {CMD_JOIN_GROUP, "c"}, {CMD_LEAVE_GROUP, "a"}, {CMD_JOIN_GROUP, "d"}};
    struct gateway_bench b;
    bench_start(&b, "max_groups_per_client = 2");
    int worker = attach(&b), client = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++)
        put_packet(worker, &(struct wire_packet){.cmd = steps[i].cmd,
                                                 .flag = WIRE_SCALAR,
                                                 .connection_id = 1,
                                                 .ext = span_str(steps[i].group)});
    put_packet(worker, &(struct wire_packet){.cmd = CMD_SEND_TO_ONE,
                                             .flag = WIRE_SCALAR,
                                             .connection_id = 1,
                                             .body = span_str("done")});
    uint8_t done[5];
    take(&b, client, done, sizeof(done));
    const struct gateway *g = b.self;
    struct role_status status = {0};
    gateway_role.status(b.self, &status);
    assert_int_equal(status.groups_n, 2);
    assert_non_null(groups_find(&g->groups, span_str("b")));
    assert_non_null(groups_find(&g->groups, span_str("d")));
    assert_int_equal(status.join_refused_n, 1);
    close(client);
    close(worker);
    bench_end(&b);
}

/* Before it has shown the key a peer may send one small packet, of two kinds. */
static void strangers_may_do_nothing(void **state)
{
    static const uint8_t huge[WIRE_HEAD] = {0, 0, 0x50, 0, CMD_WORKER_CONNECT};
    struct gateway_bench b;
    bench_start(&b, "secret_key = right");
    int fd = dial(&b, 1);
    put_packet(fd, &(struct wire_packet){.cmd = CMD_IS_ONLINE, .connection_id = 1});
    turn_until_closed(&b, fd);
    close(fd);
    fd = dial(&b, 1);
    put(fd, huge, sizeof(huge)); /* 20 KiB announced */
    turn_until_closed(&b, fd);
    close(fd);
    fd = dial(&b, 1);
    put_packet(fd, &(struct wire_packet){.cmd = CMD_GATEWAY_CLIENT_CONNECT,
                                         .flag = WIRE_SCALAR,
                                         .body = span_str("{\"secret_key\":\"wrong\"}")});
    turn_until_closed(&b, fd);
    close(fd);
    fd = dial(&b, 1);
    put_packet(fd, &(struct wire_packet){.cmd = CMD_GATEWAY_CLIENT_CONNECT,
                                         .flag = WIRE_SCALAR,
                                         .body = span_str("{\"secret_key\":\"right\"}")});
    put_packet(fd, &(struct wire_packet){.cmd = CMD_IS_ONLINE, .connection_id = 1});
    uint8_t reply[8];
    take(&b, fd, reply, sizeof(reply));
    assert_memory_equal(reply, "\0\0\0\4i:0;", 8);
    close(fd);
    bench_end(&b);
}

/* Drain: what clients have sent is answered before they are closed. */
static void drain_waits_for_work_in_hand(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "");
    int worker = attach(&b), client = dial(&b, 0);
    take_packet(&b, worker, CMD_ON_CONNECT);
    put(client, "work\n", 5);
    take_packet(&b, worker, CMD_ON_MESSAGE);
    gateway_role.drain(b.self);
    for (int i = 0; i < 20; i++)
        loop_turn(b.env.loop, 5);
    assert_int_equal(b.finished_n, 0);
    put_packet(worker, &(struct wire_packet){.cmd = CMD_SEND_TO_ONE,
                                             .flag = WIRE_SCALAR,
                                             .connection_id = 1,
                                             .body = span_str("done")});
    static const uint8_t two[] = {0, 0, 0, 2};
    put_packet(worker, &(struct wire_packet){.cmd = CMD_DONE,
                                             .flag = WIRE_SCALAR,
                                             .body = span_of(two, sizeof(two))});
    uint8_t got[5];
    take(&b, client, got, 5);
    assert_memory_equal(got, "done\n", 5);
    turn_until_closed(&b, client);
    take_packet(&b, worker, CMD_ON_CLOSE);
    close(client);
    close(worker);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echoes_need_no_memory_once_warm),
        cmocka_unit_test(broadcasts_need_no_memory_once_warm),
        cmocka_unit_test(limits_of_connections),
        cmocka_unit_test(limit_of_arrivals),
        cmocka_unit_test(limit_of_groups),
        cmocka_unit_test(strangers_may_do_nothing),
        cmocka_unit_test(drain_waits_for_work_in_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
