/* What a worker is told of a handshake, by what its module listens to. */
#include "gateway/handshake.h"

#include "gateway_fixture.h"

static const char request[] =
    "GET /?a=1 HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
static const uint8_t hi[] = "\x81\x82\0\0\0\0hi";

#define GREETING(more) "{\"worker_key\":\"w:0\",\"secret_key\":\"\"" more "}"

static int come_in(const struct gateway_bench *b)
{
    int fd = dial(b, 0);
    put(fd, request, strlen(request));
    put(fd, hi, sizeof(hi) - 1);
    return fd;
}

static void a_worker_without_use_for_requests_gets_none(void **state)
{
    struct gateway_bench b;
    bench_start_on(&b, "websocket", "");
    int worker = attach_as(&b, GREETING(",\"no_requests\":1,\"gatehouse\":1"));
    take_packet(&b, worker, CMD_HELLO);
    int client = come_in(&b);
    take_packet(&b, worker, CMD_ON_CONNECT);
    assert_true(span_is(take_packet(&b, worker, CMD_ON_MESSAGE).body, "hi"));
    close(client);
    take_packet(&b, worker, CMD_ON_CLOSE);
    close(worker);
    bench_end(&b);
}

static void check_that_it_is_told(const struct gateway_bench *b, int worker)
{
    int client = come_in(b);
    take_packet(b, worker, CMD_ON_CONNECT);
    struct span told = take_packet(b, worker, CMD_ON_WEBSOCKET_CONNECT).body;
    assert_true(told.len > 0 && told.at[0] == 'a');
    take_packet(b, worker, CMD_ON_MESSAGE);
    close(client);
    take_packet(b, worker, CMD_ON_CLOSE);
}

/* A key that it did not agree on means nothing from a peer that is not ours. */
static void all_others_get_them(void **state)
{
    struct gateway_bench b;
    bench_start_on(&b, "websocket", "");
    int php = attach_as(&b, GREETING(",\"no_requests\":1"));
    turn(&b, 5);
    check_that_it_is_told(&b, php);
    close(php);
    turn(&b, 20);
    int ours = attach(&b);
    check_that_it_is_told(&b, ours);
    close(ours);
    bench_end(&b);
}

/* The one that it waits for may listen. */
static void without_a_worker_the_request_is_kept(void **state)
{
    struct gateway_bench b;
    bench_start_on(&b, "websocket", "");
    int client = come_in(&b);
    turn(&b, 20);
    int worker = attach(&b);
    take_packet(&b, worker, CMD_ON_CONNECT);
    take_packet(&b, worker, CMD_ON_WEBSOCKET_CONNECT);
    take_packet(&b, worker, CMD_ON_MESSAGE);
    close(client);
    close(worker);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_without_use_for_requests_gets_none),
        cmocka_unit_test(all_others_get_them),
        cmocka_unit_test(without_a_worker_the_request_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
