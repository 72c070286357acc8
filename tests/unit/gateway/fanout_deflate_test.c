/* A broadcast to clients that agreed on different ways of compressing: encoded once for each way.
 */
#include "gateway/fanout.h"

#include "gateway_fixture.h"

#define REQUEST(more)                                                                              \
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                   \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" more "\r\n"
#define OFFER(params) "Sec-WebSocket-Extensions: permessage-deflate" params "\r\n"

enum { CLIENTS_N = 5, TEXT = 1000, FRAME_MAX = TEXT + 16 };

static const char *const requests[CLIENTS_N] = {
    REQUEST(""),
    REQUEST(OFFER("")),
    REQUEST(OFFER("; client_max_window_bits")),
    REQUEST(OFFER("; server_max_window_bits=9")),
    REQUEST(OFFER("; server_max_window_bits=15")),
};

static int come_in(const struct gateway_bench *b, const char *request)
{
    int fd = dial(b, 0);
    char seen[4] = "";
    put(fd, request, strlen(request));
    while (memcmp(seen, "\r\n\r\n", 4) != 0) {
        memmove(seen, seen + 1, 3);
        take(b, fd, (uint8_t *)seen + 3, 1);
    }
    return fd;
}

/* Bytes of the frame that comes. */
static size_t take_frame(const struct gateway_bench *b, int fd, uint8_t frame[FRAME_MAX])
{
    size_t len;
    take(b, fd, frame, 2);
    size_t head = frame[1] == 126 ? 4 : 2;
    assert_true(frame[1] <= 126);
    take(b, fd, frame + 2, head - 2);
    len = head == 4 ? get_u16be(frame + 2) : frame[1];
    assert_in_range(len, 1, FRAME_MAX - 4);
    take(b, fd, frame + head, len);
    return head + len;
}

static size_t broadcast(struct gateway *g, const char *text, size_t len)
{
    struct fanout f;
    uint32_t pos = 0;
    fanout_begin(&f, g, span_of(text, len), 0);
    for (struct client *c = roster_next(&g->clients.all, &pos); c;
         c = roster_next(&g->clients.all, &pos))
        fanout_to(&f, c);
    assert_int_equal(f.reached_n, CLIENTS_N);
    size_t variants_n = f.variants_n;
    fanout_end(&f);
    return variants_n;
}

static void once_for_each_window(void **state)
{
    struct gateway_bench b;
    bench_start_on(&b, "websocket", "deflate = on\ndeflate_min_bytes = 100");
    int fds[CLIENTS_N];
    for (int i = 0; i < CLIENTS_N; i++)
        fds[i] = come_in(&b, requests[i]);
    char text[TEXT];
    memset(text, 'x', sizeof(text));
    assert_int_equal(broadcast(b.self, text, sizeof(text)), 3); /* plain, 2^15, 2^9 */
    uint8_t frames[CLIENTS_N][FRAME_MAX];
    size_t lens[CLIENTS_N];
    for (int i = 0; i < CLIENTS_N; i++)
        lens[i] = take_frame(&b, fds[i], frames[i]);
    assert_int_equal(frames[0][0], 0x81);
    assert_int_equal(lens[0], 4 + TEXT);
    for (int i = 1; i < CLIENTS_N; i++) {
        assert_int_equal(frames[i][0], 0xc1);
        assert_in_range(lens[i], 5, 100);
    }
    assert_int_equal(lens[1], lens[2]);
    assert_memory_equal(frames[1], frames[2], lens[1]);
    assert_memory_equal(frames[1], frames[4], lens[1]);

    broadcast(b.self, "short", 5); /* below deflate_min_bytes: plain for all */
    for (int i = 0; i < CLIENTS_N; i++) {
        assert_int_equal(take_frame(&b, fds[i], frames[i]), 7);
        assert_memory_equal(frames[i], "\x81\x05short", 7);
        close(fds[i]);
    }
    bench_end(&b);
}

/* With takeover each client's copy refers to what was said to that client. */
static void each_with_takeover(void **state)
{
    struct gateway_bench b;
    bench_start_on(&b, "websocket", "deflate = on\ndeflate_takeover = both");
    int fds[CLIENTS_N];
    for (int i = 0; i < CLIENTS_N; i++)
        fds[i] = come_in(&b, requests[i]);
    char text[TEXT];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i * i % 23);
    uint8_t frame[FRAME_MAX];
    size_t first[CLIENTS_N];
    assert_int_equal(broadcast(b.self, text, sizeof(text)), 1); /* the plain one */
    for (int i = 0; i < CLIENTS_N; i++)
        first[i] = take_frame(&b, fds[i], frame);
    assert_int_equal(broadcast(b.self, text, sizeof(text)), 1);
    for (int i = 0; i < CLIENTS_N; i++) {
        size_t again = take_frame(&b, fds[i], frame);
        if (i > 0)
            assert_in_range(again, 5, first[i] - 1);
        close(fds[i]);
    }
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_for_each_window),
        cmocka_unit_test(each_with_takeover),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
