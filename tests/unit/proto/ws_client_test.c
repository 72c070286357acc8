/* The dialling side of WebSocket (RFC 6455): what it takes from a server and what it sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <gw/err.h>

#include "proto/ws.h"
#include "proto/ws_client.h"
#include "support/feed.h"
#include "support/vector.h"

/* Key and accept value of §1.3. */
#define GREETING                                                                                   \
    "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"               \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
#define ANSWER                                                                                     \
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: Upgrade\r\n"            \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

static const struct codec_conf conf = {.message_max_bytes = 1000,
                                       .head_max_bytes = 1024,
                                       .fragments_max_n = 3,
                                       .greeting = BYTES(GREETING)};

struct taken {
    const char *name;
    struct span in; /* behind the answer */
    const char *events;
};

static const struct taken frames[] = {
    {"text", BYTES("\x81\x05Hello"), "text 5 Hello\n"},
    {"binary", BYTES("\x82\x02\x00\xff"), "binary 2 \\x00\\xff\n"},
    {"empty", BYTES("\x81\x00"), "text 0 \n"},
    {"length_16", BYTES("\x82\x7e\x00\x01x"), "binary 1 x\n"},
    {"fragments_with_ping",
     BYTES("\x01\x02"
           "He\x89\x01p\x80\x03llo"),
     "control\ntext 5 Hello\n"},
    {"close",
     BYTES("\x88\x05\x03\xe8"
           "bye"),
     "close 1000 bye\n"},
    {"close_without_code", BYTES("\x88\x00"), "close 1005 \n"},
    {"masked", BYTES("\x81\x81\0\0\0\0a"), "error -1002\n"},
    {"reserved",
     BYTES("\xc1\x01"
           "a"),
     "error -1002\n"},
    {"opcode",
     BYTES("\x83\x01"
           "a"),
     "error -1002\n"},
    {"control_opcode", BYTES("\x8b\x00"), "error -1002\n"},
    {"long_ping", BYTES("\x89\x7e\x00\x7e"), "error -1002\n"},
    {"fragmented_ping", BYTES("\x09\x00"), "error -1002\n"},
    {"nothing_to_continue", BYTES("\x80\x00"), "error -1002\n"},
    {"interrupted", BYTES("\x01\x00\x81\x00"), "error -1002\n"},
    {"bad_close", BYTES("\x88\x02\x03\xed"), "error -1002\n"},
    {"half_close", BYTES("\x88\x01\x03"), "error -1002\n"},
    {"bad_reason", BYTES("\x88\x03\x03\xe8\xff"), "error -1004\n"},
    {"bad_utf8", BYTES("\x81\x01\xff"), "error -1004\n"},
    {"too_big", BYTES("\x82\x7e\x03\xe9"), "error -1003\n"},
    {"far_too_big", BYTES("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), "error -1003\n"},
    {"too_many", BYTES("\x02\x00\x00\x00\x00\x00\x80\x00"), "error -1003\n"},
};

static void check(const char *name, struct span answer, struct span in, const char *want)
{
    for (unsigned how = 0; how < 8; how++) {
        struct feed f;
        struct buf all = {0};
        feed_init(&f, &ws_client_codec, &conf);
        buf_put_span(&all, answer);
        buf_put_span(&all, in);
        feed_cut(&f, buf_span(&all), how);
        const char *got = feed_events(&f);
        if (strcmp(got, want) != 0)
            fail_msg("%s, cut %u: got \"%s\", want \"%s\"", name, how, got, want);
        feed_fini(&f);
        buf_fini(&all);
    }
}

static void test_frames(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        struct buf want = {0};
        buf_puts(&want, "open\n");
        buf_puts(&want, frames[i].events);
        check(frames[i].name, span_str(ANSWER), frames[i].in, buf_cstr(&want));
        buf_fini(&want);
    }
}

/* RFC 6455 §4.1 item 3: Connection is a list that holds the token. */
static void test_an_answer_with_a_list(void **state)
{
    (void)state;
    check("list",
          span_str("HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"),
          span_of("", 0), "open\n");
}

/* A ping between the fragments of a message of 1000 bytes, which is the limit, is no part of it. */
static void test_a_ping_in_a_message_at_its_limit(void **state)
{
    static const char head[] = "\x02\x7e\x03\xe8", rest[] = "\x89\x01p\x80\x00";
    struct buf in = {0};

    (void)state;
    buf_put(&in, head, sizeof head - 1);
    for (int i = 0; i < 1000; i++)
        buf_putc(&in, 'x');
    buf_put(&in, rest, sizeof rest - 1);
    check("limit", span_str(ANSWER), buf_span(&in), "open\ncontrol\nbinary 1000 crc 3b41c9e6\n");
    buf_fini(&in);
}

static void test_answers_that_are_none(void **state)
{
    static const char *const bad[] = {
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
        "HTTP/1.1 101 x\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Extensions: permessage-deflate\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check(bad[i], span_str(bad[i]), span_of("", 0), "error -1016\n");
}

/* What is sent must be what a server of ours reads. */
static void test_a_server_reads_what_is_sent(void **state)
{
    static const struct codec_conf server_conf = {.message_max_bytes = 70000,
                                                  .head_max_bytes = 1024};
    static const size_t lens[] = {0, 1, 125, 126, 65535, 65536};
    uint8_t *payload = malloc(70000), *framed = malloc(70000 + CODEC_OVERHEAD_MAX);
    uint8_t goodbye[CODEC_CLOSE_MAX];
    char reason[200];
    struct buf request = {0};
    struct feed f;

    (void)state;
    memset(payload, 'x', 70000);
    memset(reason, 'r', sizeof reason);
    ws_put_request(&request, span_str("a"), span_str("/chat?x"));
    feed_init(&f, &ws_codec, &server_conf);
    feed_bytes(&f, buf_span(&request));
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        size_t len = ws_client_codec.encode(framed, span_of(payload, lens[i]), i % 2);
        assert_true(len <= lens[i] + CODEC_OVERHEAD_MAX);
        feed_bytes(&f, span_of(framed, len));
    }
    size_t len = ws_client_codec.encode_close(goodbye, 4001, span_of(reason, sizeof reason));
    assert_true(len <= CODEC_CLOSE_MAX);
    feed_bytes(&f, span_of(goodbye, len));
    const char *events = feed_events(&f);
    assert_non_null(strstr(events, "open GET /chat?x\ntext 0 \nbinary 1 x\n"));
    assert_non_null(strstr(events, "close 4001 rrr"));
    assert_null(strstr(events, "error"));
    feed_fini(&f);
    buf_fini(&request);
    free(payload);
    free(framed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_an_answer_with_a_list),
        cmocka_unit_test(test_a_ping_in_a_message_at_its_limit),
        cmocka_unit_test(test_answers_that_are_none),
        cmocka_unit_test(test_a_server_reads_what_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
