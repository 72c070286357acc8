/* Channels over WebSocket: handshake before messages, goodbyes from both sides, deadlines. */
#include "support/allocs.h"
#include "support/fake_clock.h"
#include "unit/chan/chan_fixture.h"

/* The request and the accept value of RFC 6455 §1.3. */
static const char request[] = "GET /chat HTTP/1.1\r\n"
                              "Host: server.example.com\r\n"
                              "Upgrade: websocket\r\n"
                              "Connection: Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Version: 13\r\n\r\n";
static const char accept_value[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/* "Hello", masked, of RFC 6455 §5.7; and unmasked as the server sends it. */
static const char masked_hello[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
static const char plain_hello[] = "\x81\x05Hello";
enum { MASKED_HELLO_LEN = 11, PLAIN_HELLO_LEN = 7 };

/* Close frames with a mask of zeros: code 1000 and no reason; code 4001 and "x". */
static const char masked_close_1000[] = "\x88\x82\0\0\0\0\x03\xe8";
static const char masked_close_4001[] = "\x88\x83\0\0\0\0\x0f\xa1x";

/* Reads the answer to the handshake; what follows it is left in *rest. */
static void read_answer(struct fixture *f, const char *status, struct buf *rest)
{
    fixture_read(f, rest);
    const char *text = buf_cstr(rest);
    const char *end = strstr(text, "\r\n\r\n");
    assert_non_null(end);
    if (strncmp(text, status, strlen(status)) != 0)
        fail_msg("the answer begins \"%.40s\"", text);
    if (strcmp(status, "HTTP/1.1 101") == 0)
        assert_non_null(strstr(text, accept_value));
    buf_consume(rest, (size_t)(end + 4 - text));
}

static void open_ws(struct fixture *f)
{
    struct buf rest = {0};
    fixture_open(f, &ws_codec);
    fixture_write(f, request, sizeof request - 1);
    fixture_turn(f);
    assert_diary(f, "open(/chat) ");
    read_answer(f, "HTTP/1.1 101", &rest);
    assert_int_equal(rest.len, 0);
    buf_fini(&rest);
}

static void echo(struct fixture *f, struct span payload, bool is_binary)
{
    assert_int_equal(chan_send(f->chan, payload, is_binary), 0);
}

static void shakes_hands_and_echoes(void **state)
{
    struct fixture *f = *state;
    open_ws(f);
    f->message_hook = echo;
    fixture_write(f, masked_hello, MASKED_HELLO_LEN);
    fixture_turn(f);
    assert_diary(f, "msg(Hello) ");
    assert_peer_gets(f, plain_hello, PLAIN_HELLO_LEN);
}

static void one_byte_at_a_time_is_the_same(void **state)
{
    struct fixture *f = *state;
    struct buf rest = {0};
    fixture_open(f, &ws_codec);
    f->message_hook = echo;
    for (size_t i = 0; i < sizeof request - 1; i++) {
        fixture_write(f, request + i, 1);
        fixture_turn(f);
    }
    for (size_t i = 0; i < MASKED_HELLO_LEN; i++) {
        fixture_write(f, masked_hello + i, 1);
        fixture_turn(f);
    }
    assert_diary(f, "open(/chat) msg(Hello) ");
    read_answer(f, "HTTP/1.1 101", &rest);
    assert_true(span_eq(buf_span(&rest), span_of(plain_hello, PLAIN_HELLO_LEN)));
    buf_fini(&rest);
}

static void greet(struct fixture *f)
{
    assert_int_equal(chan_send(f->chan, span_str("Hello"), false), 0);
}

static void messages_wait_for_the_handshakes_answer(void **state)
{
    struct fixture *f = *state;
    struct buf rest = {0};
    fixture_open(f, &ws_codec);
    f->open_hook = greet;
    greet(f); /* before the first byte of the request */
    assert_false(chan_is_open(f->chan));
    fixture_turn(f);
    assert_peer_gets(f, "", 0);
    fixture_write(f, request, sizeof request - 1);
    fixture_turn(f);
    read_answer(f, "HTTP/1.1 101", &rest);
    assert_int_equal(rest.len, 2 * PLAIN_HELLO_LEN);
    assert_memory_equal(rest.at, plain_hello, PLAIN_HELLO_LEN);
    assert_memory_equal(rest.at + PLAIN_HELLO_LEN, plain_hello, PLAIN_HELLO_LEN);
    buf_fini(&rest);
}

static void what_waits_is_limited(void **state)
{
    struct fixture *f = *state;
    static uint8_t block[700];
    f->kind.conn_conf.out_max_bytes = 1000;
    fixture_open(f, &ws_codec);
    assert_int_equal(chan_send(f->chan, span_of(block, 700), true), 0);
    assert_int_equal(chan_send(f->chan, span_of(block, 700), true), 0);
    assert_int_equal(chan_send(f->chan, span_of(block, 1), true), GW_EFULL);
    chan_close(f->chan, 1013, span_str("full"));
    fixture_turn(f);
    assert_diary(f, "close(0,1006) ");
}

static void refuse(struct fixture *f)
{
    greet(f);
    chan_refuse(f->chan, 403, "not from there");
}

static void a_handshake_can_be_refused(void **state)
{
    struct fixture *f = *state;
    struct buf rest = {0};
    fixture_open(f, &ws_codec);
    f->open_hook = refuse;
    fixture_write(f, request, sizeof request - 1);
    fixture_write(f, masked_hello, MASKED_HELLO_LEN);
    fixture_turn(f);
    assert_diary(f, "open(/chat) close(0,1006) ");
    read_answer(f, "HTTP/1.1 403", &rest);
    assert_true(span_is(buf_span(&rest), "not from there\n"));
    buf_fini(&rest);
}

static void a_bad_request_is_answered_and_closed(void **state)
{
    struct fixture *f = *state;
    struct buf rest = {0};
    fixture_open(f, &ws_codec);
    fixture_write(f, "NONSENSE\r\n\r\n", 12);
    fixture_turn(f);
    assert_diary(f, "close(-1002,1006) ");
    read_answer(f, "HTTP/1.1 400", &rest);
    buf_fini(&rest);
}

static void start_fake_clock(struct fixture *f)
{
    fake_clock_start(loop_now_ms(f->loop) + 1);
    fixture_turn(f);
}

static void a_slow_handshake_is_cut_at_its_deadline(void **state)
{
    struct fixture *f = *state;
    struct buf rest = {0};
    start_fake_clock(f);
    fixture_open(f, &ws_codec);
    for (int i = 0; i < 29; i++) { /* a byte now and then does not help */
        fixture_write(f, request + i, 1);
        fake_clock_advance(10);
        fixture_turn(f);
    }
    assert_diary(f, "");
    fake_clock_advance(10);
    fixture_turn(f);
    fake_clock_stop();
    assert_diary(f, "close(-1006,1006) ");
    read_answer(f, "HTTP/1.1 408", &rest);
    buf_fini(&rest);
}

static void close_in_open(struct fixture *f)
{
    greet(f);
    chan_close(f->chan, 4001, span_str("x"));
}

static void closing_in_on_open_answers_first(void **state)
{
    struct fixture *f = *state;
    struct buf rest = {0};
    fixture_open(f, &ws_codec);
    f->open_hook = close_in_open;
    fixture_write(f, request, sizeof request - 1);
    fixture_turn(f);
    read_answer(f, "HTTP/1.1 101", &rest);
    assert_true(span_eq(buf_span(&rest), span_of("\x81\x05Hello\x88\x03\x0f\xa1x", 12)));
    fixture_write(f, masked_close_4001, 9);
    fixture_turn(f);
    assert_diary(f, "open(/chat) close(0,4001) ");
    buf_fini(&rest);
}

static void our_goodbye_waits_for_theirs(void **state)
{
    struct fixture *f = *state;
    open_ws(f);
    chan_close(f->chan, 4001, span_str("x"));
    assert_int_equal(chan_send(f->chan, span_str("late"), false), GW_ECLOSED);
    fixture_turn(f);
    assert_peer_gets(f, "\x88\x03\x0f\xa1x", 5);
    fixture_write(f, masked_hello, MASKED_HELLO_LEN); /* crossed ours on its way: ignored */
    fixture_turn(f);
    assert_diary(f, "");
    fixture_write(f, masked_close_1000, 8);
    fixture_turn(f);
    assert_diary(f, "close(0,1000) ");
    assert_peer_gets(f, "", 0); /* no second goodbye */
    assert_true(fixture_peer_sees_end(f));
}

static void our_goodbye_waits_no_longer_than_its_timeout(void **state)
{
    struct fixture *f = *state;
    open_ws(f);
    start_fake_clock(f);
    chan_close(f->chan, 1000, span_str(""));
    fixture_turn(f);
    fake_clock_advance(399);
    fixture_turn(f);
    assert_diary(f, "");
    fake_clock_advance(1);
    fixture_turn(f);
    fake_clock_stop();
    assert_diary(f, "close(0,1006) ");
}

static void an_end_instead_of_a_goodbye_is_fine(void **state)
{
    struct fixture *f = *state;
    open_ws(f);
    chan_close(f->chan, 1000, span_str(""));
    fixture_turn(f);
    close(f->peer_fd);
    f->peer_fd = -1;
    fixture_turn(f);
    assert_diary(f, "close(0,1006) ");
}

static void their_goodbye_is_answered(void **state)
{
    struct fixture *f = *state;
    open_ws(f);
    fixture_write(f, masked_close_4001, 9);
    fixture_turn(f);
    assert_diary(f, "close(-1000,4001) ");
    struct buf in = {0};
    fixture_read(f, &in);
    assert_true(in.len >= 4);
    assert_memory_equal(in.at, "\x88", 1);
    assert_memory_equal(in.at + 2, "\x0f\xa1", 2);
    buf_fini(&in);
}

static void a_kick_has_no_goodbye(void **state)
{
    struct fixture *f = *state;
    open_ws(f);
    greet(f);
    chan_close(f->chan, 0, span_str(""));
    fixture_turn(f);
    assert_diary(f, "close(0,1006) ");
    assert_peer_gets(f, plain_hello, PLAIN_HELLO_LEN);
}

static void a_broken_frame_gets_a_farewell(void **state)
{
    struct fixture *f = *state;
    open_ws(f);
    fixture_write(f, plain_hello, PLAIN_HELLO_LEN); /* not masked: RFC 6455 §5.1 */
    fixture_turn(f);
    assert_diary(f, "close(-1002,1006) ");
    struct buf in = {0};
    fixture_read(f, &in);
    assert_true(in.len >= 4);
    assert_memory_equal(in.at, "\x88", 1);
    assert_memory_equal(in.at + 2, "\x03\xea", 2); /* 1002 */
    buf_fini(&in);
}

static void a_ping_is_answered_and_told(void **state)
{
    struct fixture *f = *state;
    open_ws(f);
    fixture_write(f, "\x89\x82\0\0\0\0hi", 8);
    fixture_turn(f);
    assert_diary(f, "control ");
    assert_peer_gets(f, "\x8a\x02hi", 4);
}

static void an_echo_allocates_nothing_once_warm(void **state)
{
    struct fixture *f = *state;
    struct allocs mark = {0};
    char in[64];
    open_ws(f);
    f->message_hook = echo;
    for (int i = 0; i < 1100; i++) {
        if (i == 100)
            mark = allocs_mark();
        fixture_write(f, masked_hello, MASKED_HELLO_LEN);
        fixture_turn(f);
        assert_int_equal(read(f->peer_fd, in, sizeof in), PLAIN_HELLO_LEN);
        buf_clear(&f->diary);
    }
    assert_int_equal(allocs_since(mark), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(shakes_hands_and_echoes),
        FIXTURE_TEST(one_byte_at_a_time_is_the_same),
        FIXTURE_TEST(messages_wait_for_the_handshakes_answer),
        FIXTURE_TEST(what_waits_is_limited),
        FIXTURE_TEST(a_handshake_can_be_refused),
        FIXTURE_TEST(a_bad_request_is_answered_and_closed),
        FIXTURE_TEST(a_slow_handshake_is_cut_at_its_deadline),
        FIXTURE_TEST(closing_in_on_open_answers_first),
        FIXTURE_TEST(our_goodbye_waits_for_theirs),
        FIXTURE_TEST(our_goodbye_waits_no_longer_than_its_timeout),
        FIXTURE_TEST(an_end_instead_of_a_goodbye_is_fine),
        FIXTURE_TEST(their_goodbye_is_answered),
        FIXTURE_TEST(a_kick_has_no_goodbye),
        FIXTURE_TEST(a_broken_frame_gets_a_farewell),
        FIXTURE_TEST(a_ping_is_answered_and_told),
        FIXTURE_TEST(an_echo_allocates_nothing_once_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
