/* What a client gets that does not read. */
#include "gateway/fanout.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_client_is_closed),
        cmocka_unit_test(or_loses_new_messages_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
