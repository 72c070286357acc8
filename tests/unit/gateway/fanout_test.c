/* What clients get of many messages in a row, and what a client gets that does not read. */
#include "gateway/fanout.h"

#include <stdlib.h>

#include "gateway_fixture.h"

enum { PART = 64 * 1024, PARTS_N = 400 };

/* Sends more than kernel (some 10 MB) and queue hold to a client that does not read. */
static void flood(const struct gateway_bench *b, int worker)
{
    static uint8_t packet[WIRE_HEAD + PART];
    static char text[PART];
    memset(text, 'x', sizeof(text));
    wire_encode(packet, &(struct wire_packet){.cmd = CMD_SEND_TO_ONE,
                                              .flag = WIRE_SCALAR,
                                              .connection_id = 1,
                                              .body = span_of(text, sizeof(text))});
    for (int i = 0; i < PARTS_N; i++) {
        size_t sent = 0;
        while (sent < sizeof(packet)) {
            ssize_t n =
                send(worker, packet + sent, sizeof(packet) - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n > 0)
                sent += (size_t)n;
            turn(b, 1);
        }
    }
    turn(b, 20);
}

static int connect_slow_client(const struct gateway_bench *b, int worker)
{
    int client = dial(b, 0);
    take_packet(b, worker, CMD_ON_CONNECT);
    return client;
}

static void a_slow_client_is_closed(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "send_to_client_buffer_size = 100000\nclose_timeout = 0.1");
    int worker = attach(&b), client = connect_slow_client(&b, worker);
    flood(&b, worker);
    take_packet(&b, worker, CMD_ON_CLOSE);
    struct role_status status = {0};
    gateway_role.status(b.self, &status);
    assert_int_equal(status.send_fail_n, 1); /* afterwards it is closing */
    assert_int_equal(status.connections_n, 0);
    close(client);
    close(worker);
    bench_end(&b);
}

/* Small messages in rows, of which some find the queue full: whole ones arrive, and each that did
 * not was counted. */
static void a_slow_member_loses_single_messages(void **state)
{
    enum { SMALL = 1000, SMALL_N = 25000 };
    static uint8_t packet[WIRE_HEAD + 64 + SMALL];
    static char text[SMALL];
    static const char group[] = "{\"group\":[\"a\"],\"exclude\":null}";
    struct gateway_bench b;
    bench_start(&b, "send_to_client_buffer_size = 100000\non_full = drop_new");
    int worker = attach(&b), client = connect_slow_client(&b, worker);
    put_cmd(worker, CMD_JOIN_GROUP, 1, span_str("a"), span_of(NULL, 0));
    memset(text, 'x', sizeof(text));
    struct wire_packet p = {.cmd = CMD_SEND_TO_GROUP,
                            .flag = WIRE_SCALAR,
                            .ext = span_str(group),
                            .body = span_of(text, sizeof(text))};
    size_t size = wire_size(&p);
    wire_encode(packet, &p);
    for (int i = 0; i < SMALL_N; i++)
        for (size_t sent = 0; sent < size;) {
            ssize_t n = send(worker, packet + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n > 0)
                sent += (size_t)n;
            else
                turn(&b, 1);
        }
    turn(&b, 20);
    struct role_status status = {0};
    gateway_role.status(b.self, &status);
    assert_in_range(status.send_fail_n, 1, SMALL_N - 1);
    static uint8_t line[SMALL + 1];
    for (uint64_t i = 0; i < SMALL_N - status.send_fail_n; i++) {
        take(&b, client, line, sizeof(line));
        assert_int_equal(line[SMALL - 1], 'x');
        assert_int_equal(line[SMALL], '\n');
    }
    put_cmd(worker, CMD_SEND_TO_ONE, 1, span_of(NULL, 0), span_str("again"));
    take(&b, client, line, 6);
    assert_memory_equal(line, "again\n", 6);
    close(client);
    close(worker);
    bench_end(&b);
}

static void or_loses_new_messages_only(void **state)
{
    struct gateway_bench b;
    bench_start(&b, "send_to_client_buffer_size = 100000\non_full = drop_new");
    int worker = attach(&b), client = connect_slow_client(&b, worker);
    flood(&b, worker);
    struct role_status status = {0};
    gateway_role.status(b.self, &status);
    assert_int_equal(status.connections_n, 1);
    assert_in_range(status.send_fail_n, 1, PARTS_N - 1);
    /* Whole messages arrive, as many as were not dropped. */
    static uint8_t line[PART + 1];
    for (uint64_t i = 0; i < PARTS_N - status.send_fail_n; i++) {
        take(&b, client, line, sizeof(line));
        assert_int_equal(line[0], 'x');
        assert_int_equal(line[PART], '\n');
    }
    put_cmd(worker, CMD_SEND_TO_ONE, 1, span_of(NULL, 0), span_str("again"));
    take(&b, client, line, 6);
    assert_memory_equal(line, "again\n", 6);
    close(client);
    close(worker);
    bench_end(&b);
}

/* The newest messages arrive, each whole; what is missing lies in one piece before them. */
static void or_loses_its_oldest_messages(void **state)
{
    enum { SMALL_N = 60000, SMALL = 400 };
    struct gateway_bench b;
    bench_start(&b, "send_to_client_buffer_size = 100000\non_full = drop_old");
    int worker = attach_as(&b, "{\"worker_key\":\"w:0\",\"secret_key\":\"\",\"gatehouse\":1,"
                               "\"buffers\":1}");
    take_packet(&b, worker, CMD_HELLO);
    int client = connect_slow_client(&b, worker);
    for (int i = 0; i < SMALL_N; i++) {
        char text[SMALL + 1];
        snprintf(text, sizeof(text), "%0*d", SMALL, i);
        put_cmd(worker, CMD_SEND_TO_ONE, 1, span_of(NULL, 0), span_str(text));
        if (i % 50 == 49)
            turn(&b, 1);
    }
    turn(&b, 20);
    take_packet(&b, worker, CMD_ON_BUFFER_FULL);
    struct role_status status = {0};
    gateway_role.status(b.self, &status);
    assert_in_range(status.drop_old_n, 1, SMALL_N - 1);
    assert_int_equal(status.send_fail_n, status.drop_old_n);
    assert_int_equal(status.delivered_n, SMALL_N);
    assert_int_equal(status.slow_n, 1);
    static uint8_t line[SMALL + 1];
    int last = -1, gaps_n = 0;
    for (uint64_t i = 0; i < SMALL_N - status.drop_old_n; i++) {
        take(&b, client, line, sizeof(line));
        assert_int_equal(line[SMALL], '\n');
        line[SMALL] = '\0';
        int number = atoi((char *)line);
        gaps_n += number != last + 1;
        assert_true(number > last);
        last = number;
    }
    assert_int_equal(last, SMALL_N - 1);
    assert_int_equal(gaps_n, 1);
    take_packet(&b, worker, CMD_ON_BUFFER_DRAIN);
    gateway_role.status(b.self, &status);
    assert_int_equal(status.slow_n, 0);
    close(client);
    close(worker);
    bench_end(&b);
}

enum { STEPS_N = 900, WATCHERS_N = 3 };

/* Messages to two groups that overlap, joining, leaving and queries, all in one read of the
 * gateway: everybody gets what was sent while it was in, in order, and receipts tell the right
 * numbers. */
static void a_row_of_messages_is_as_if_each_came_alone(void **state)
{
    static const char *const groups[] = {"{\"group\":[\"a\"],\"exclude\":null}",
                                         "{\"group\":[\"b\"],\"exclude\":null}",
                                         "{\"group\":[\"a\"],\"exclude\":{\"2\":2}}"};
    static char expected[WATCHERS_N][STEPS_N * 16];
    size_t lens[WATCHERS_N] = {0};
    bool is_in[2][WATCHERS_N] = {{true, true, true}, {false}};
    struct gateway_bench b;
    bench_start(&b, "");
    int worker = attach(&b), clients[WATCHERS_N];
    for (uint32_t i = 0; i < WATCHERS_N; i++) {
        clients[i] = dial(&b, 0);
        take_packet(&b, worker, CMD_ON_CONNECT);
        put_cmd(worker, CMD_JOIN_GROUP, i + 1, span_str("a"), span_of(NULL, 0));
    }
    srandom(3);
    for (size_t step = 0; step < STEPS_N; step++) {
        /* Long rows, so that a walk's limit of messages is passed, too. */
        size_t to = step / 150 % 3, who = (size_t)random() % WATCHERS_N;
        if (step % 100 == 60) {
            put_cmd(worker, is_in[1][who] ? CMD_LEAVE_GROUP : CMD_JOIN_GROUP, (uint32_t)who + 1,
                    span_str("b"), span_of(NULL, 0));
            is_in[1][who] = !is_in[1][who];
        }
        char text[16];
        size_t len = (size_t)snprintf(text, sizeof(text), "%zu\n", step);
        put_cmd(worker, CMD_SEND_TO_GROUP, 0, span_str(groups[to]), span_of(text, len - 1));
        for (size_t i = 0; i < WATCHERS_N; i++) {
            if (!is_in[to == 1][i] || (to == 2 && i == 1))
                continue;
            memcpy(expected[i] + lens[i], text, len);
            lens[i] += len;
        }
        if (step % 97 == 50)
            put_cmd(worker, CMD_SEND_TO_ONE, 1, span_of(NULL, 0), span_str("-"));
        if (step % 97 == 50)
            expected[0][lens[0]++] = '-', expected[0][lens[0]++] = '\n';
    }
    for (size_t i = 0; i < WATCHERS_N; i++) {
        static uint8_t got[sizeof(expected[0])];
        take(&b, clients[i], got, lens[i]);
        assert_memory_equal(got, expected[i], lens[i]);
        close(clients[i]);
    }
    close(worker);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_of_messages_is_as_if_each_came_alone),
        cmocka_unit_test(a_slow_client_is_closed),
        cmocka_unit_test(or_loses_new_messages_only),
        cmocka_unit_test(or_loses_its_oldest_messages),
        cmocka_unit_test(a_slow_member_loses_single_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
