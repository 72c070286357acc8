/* Answers that wait: handshakes that the owner thinks about, farewells behind earlier messages; and
 * what compressing peers get. */
#include "proto/ws_deflate.h"
#include "support/fake_clock.h"
#include "unit/chan/chan_fixture.h"

#define REQUEST                                                                                    \
    "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"               \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
static const char request[] = REQUEST "\r\n";
static const char offering[] = REQUEST "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
static const char masked_a[] = "\x81\x81\0\0\0\0a";
static const char broken[] = "\x81\x81\0\0\0\0a\xff";
static const char farewell[] = "\x88\x17\x03\xeareserved bits are set";

static void hold(struct fixture *f)
{
    chan_hold(f->chan);
}

static void open_held(struct fixture *f)
{
    f->open_hook = hold;
    fixture_open(f, &ws_codec);
    fixture_write(f, request, sizeof(request) - 1);
    fixture_write(f, masked_a, sizeof(masked_a) - 1);
    fixture_turn(f);
    fixture_turn(f);
    assert_diary(f, "open(/chat) "); /* the message waits, too */
    assert_peer_gets(f, "", 0);
    assert_true(chan_is_held(f->chan));
}

/* The peer's bytes, which must begin so and end so. */
static void expect_answer(struct fixture *f, const char *start, const char *end)
{
    struct buf got = {0};
    fixture_read(f, &got);
    if (strncmp(buf_cstr(&got), start, strlen(start)) != 0)
        fail_msg("the answer begins \"%.40s\"", buf_cstr(&got));
    assert_in_range(got.len, strlen(end), SIZE_MAX);
    assert_memory_equal(got.at + got.len - strlen(end), end, strlen(end));
    buf_fini(&got);
}

static void a_held_handshake_goes_on(void **state)
{
    struct fixture *f = *state;
    open_held(f);
    assert_int_equal(chan_send(f->chan, span_str("b"), false), 0);
    chan_add_header(f->chan, "X-A", span_str("1"));
    chan_release(f->chan);
    chan_release(f->chan);
    fixture_turn(f);
    expect_answer(f, "HTTP/1.1 101 ",
                  "\r\nX-A: 1\r\n\r\n\x81\x01"
                  "b");
    fixture_turn(f);
    assert_diary(f, "msg(a) ");
}

static void or_is_refused(void **state)
{
    struct fixture *f = *state;
    open_held(f);
    chan_refuse(f->chan, 403, "No.");
    fixture_turn(f);
    expect_answer(f, "HTTP/1.1 403 ", "\r\n\r\nNo.\n");
    assert_diary(f, "close(0,1006) ");
}

static void or_nobody_says_anything(void **state)
{
    struct fixture *f = *state;
    fake_clock_start(loop_now_ms(f->loop) + 1);
    fixture_turn(f);
    open_held(f);
    fake_clock_advance(f->kind.open_timeout_ms);
    fixture_turn(f);
    fake_clock_stop();
    fixture_turn(f);
    expect_answer(f, "HTTP/1.1 503 ", "in time.\n");
}

static void or_the_owner_closes(void **state)
{
    struct fixture *f = *state;
    open_held(f);
    chan_close(f->chan, 1013, span_str("x"));
    fixture_turn(f);
    expect_answer(f, "HTTP/1.1 503 ", "\n");
}

/* ---- farewells ---- */

static bool wait_for_answers(struct chan *ch, void *owner)
{
    struct fixture *f = owner;
    buf_puts(&f->diary, "broken ");
    return true;
}

static void open_broken(struct fixture *f)
{
    f->events.on_broken = wait_for_answers;
    fixture_open(f, &ws_codec);
    fixture_write(f, request, sizeof(request) - 1);
    fixture_turn(f);
    expect_answer(f, "HTTP/1.1 101 ", "\r\n\r\n");
    fixture_write(f, broken, sizeof(broken) - 1);
    fixture_write(f, masked_a, sizeof(masked_a) - 1);
    fixture_turn(f);
    fixture_turn(f);
    assert_diary(f, "open(/chat) msg(a) broken ");
    assert_peer_gets(f, "", 0);
    assert_int_equal(chan_send(f->chan, span_str("a"), false), 0);
}

static void expect_answer_and_farewell(struct fixture *f)
{
    struct buf expected = {0};
    buf_puts(&expected, "\x81\x01"
                        "a");
    buf_put(&expected, farewell, sizeof(farewell) - 1);
    assert_peer_gets(f, expected.at, expected.len);
    buf_fini(&expected);
}

static void answers_come_before_the_farewell(void **state)
{
    struct fixture *f = *state;
    open_broken(f);
    chan_finish(f->chan);
    assert_int_equal(chan_send(f->chan, span_str("b"), false), GW_ECLOSED);
    fixture_turn(f);
    expect_answer_and_farewell(f);
    fixture_turn(f);
    assert_diary(f, "close(-1002,1006) ");
}

static void which_does_not_wait_for_long(void **state)
{
    struct fixture *f = *state;
    fake_clock_start(loop_now_ms(f->loop) + 1);
    fixture_turn(f);
    open_broken(f);
    fake_clock_advance(1000);
    fixture_turn(f);
    fake_clock_stop();
    expect_answer_and_farewell(f);
}

/* ---- variants ---- */

static void compressing_peers_have_a_variant(void **state)
{
    struct fixture *f = *state;
    static const struct ws_deflate_conf conf = {.window_bits = 12, .mem_level = 8};
    struct ws_deflate *d = ws_deflate_new(&conf);
    f->kind.codec_conf.deflate = d;
    fixture_open(f, &ws_codec);
    assert_int_equal(chan_variant(f->chan), CODEC_PLAIN);
    fixture_write(f, offering, sizeof(offering) - 1);
    fixture_turn(f);
    expect_answer(f, "HTTP/1.1 101 ",
                  "\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
                  "client_no_context_takeover\r\n\r\n");
    assert_int_equal(chan_variant(f->chan), 12);

    static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    uint8_t shared[sizeof(text) + CODEC_OVERHEAD_MAX];
    size_t n = chan_encode_variant(f->chan, shared, span_str(text), false);
    assert_in_range(n, 3, 20);
    assert_int_equal(chan_send(f->chan, span_str(text), false), 0); /* the same bytes */
    fixture_turn(f);
    assert_peer_gets(f, (const char *)shared, n);
    assert_int_equal(chan_encode_variant(f->chan, shared, span_str("a"), false), 0);
    chan_destroy(f->chan, 0);
    fixture_turn(f);
    ws_deflate_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_held_handshake_goes_on),         FIXTURE_TEST(or_is_refused),
        FIXTURE_TEST(or_nobody_says_anything),          FIXTURE_TEST(or_the_owner_closes),
        FIXTURE_TEST(answers_come_before_the_farewell), FIXTURE_TEST(which_does_not_wait_for_long),
        FIXTURE_TEST(compressing_peers_have_a_variant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
