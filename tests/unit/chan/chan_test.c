/* Channels over simple codecs: messages both ways, limits, closing from callbacks, pausing. */
#include "net/sock.h"
#include "support/allocs.h"
#include "unit/chan/chan_fixture.h"

static void echo(struct fixture *f, struct span payload, bool is_binary)
{
    assert_int_equal(chan_send(f->chan, payload, is_binary), 0);
}

static void text_carries_lines(void **state)
{
    struct fixture *f = *state;
    fixture_open(f, &text_codec);
    assert_diary(f, "open() "); /* without a byte from the peer */
    f->message_hook = echo;
    fixture_write(f, "one\ntwo\r\nthr", 12);
    fixture_turn(f);
    assert_diary(f, "msg(one) msg(two) ");
    assert_peer_gets(f, "one\ntwo\n", 8);
    fixture_write(f, "ee\n", 3);
    fixture_turn(f);
    assert_diary(f, "msg(three) ");
    assert_peer_gets(f, "three\n", 6);
    close(f->peer_fd);
    f->peer_fd = -1;
    fixture_turn(f);
    assert_diary(f, "close(-1000,1006) ");
}

static void frames_carry_lengths(void **state)
{
    struct fixture *f = *state;
    fixture_open(f, &frame_codec);
    f->message_hook = echo;
    static const char frames[] = "\0\0\0\7abc\0\0\0\7def";
    for (size_t i = 0; i < 14; i++) { /* one byte at a time */
        fixture_write(f, &frames[i], 1);
        fixture_turn(f);
    }
    assert_diary(f, "open() msg(abc) msg(def) ");
    assert_peer_gets(f, frames, 14);
}

static void tcp_hands_over_what_arrives(void **state)
{
    struct fixture *f = *state;
    fixture_open(f, &tcp_codec);
    f->message_hook = echo;
    fixture_write(f, "raw", 3);
    fixture_turn(f);
    assert_diary(f, "open() msg(raw) ");
    assert_peer_gets(f, "raw", 3);
}

static void raw_and_queued_bytes_pass_unframed(void **state)
{
    struct fixture *f = *state;
    fixture_open(f, &text_codec);
    struct chunk *chunk = conn_pool_scratch(f->pool, 3);
    uint32_t off = chunk->len;
    memcpy(chunk->at + off, "abc", 3);
    chunk->len += 3;
    assert_int_equal(chan_queue(f->chan, chunk, off, 3), 0);
    assert_int_equal(chan_send_raw(f->chan, span_str("def")), 0);
    assert_int_equal(chan_send(f->chan, span_str("g"), false), 0);
    fixture_turn(f);
    assert_peer_gets(f, "abcdefg\n", 8);
}

static void a_bulk_channel_frames_in_place(void **state)
{
    struct fixture *f = *state;
    f->kind.conn_conf.is_bulk = true;
    fixture_open(f, &text_codec);
    for (int i = 0; i < 3; i++)
        assert_int_equal(chan_send(f->chan, span_str("bulk"), false), 0);
    fixture_turn(f);
    assert_peer_gets(f, "bulk\nbulk\nbulk\n", 15);
}

static void a_full_queue_is_told(void **state)
{
    struct fixture *f = *state;
    static uint8_t block[1000];
    f->kind.conn_conf.out_max_bytes = 500;
    fixture_open(f, &text_codec);
    assert_int_equal(chan_send(f->chan, span_of(block, 1000), false), 0);
    assert_int_equal(chan_send(f->chan, span_of(block, 1), false), GW_EFULL);
    assert_int_equal(chan_send_raw(f->chan, span_of(block, 1)), GW_EFULL);
    conn_want_drain(chan_conn(f->chan), 0);
    fixture_turn(f);
    assert_diary(f, "open() drain ");
    assert_int_equal(chan_send(f->chan, span_of(block, 1), false), 0);
}

static void too_long_a_message_closes(void **state)
{
    struct fixture *f = *state;
    f->kind.codec_conf.message_max_bytes = 4;
    fixture_open(f, &text_codec);
    fixture_write(f, "1234\n12345\n", 11);
    fixture_turn(f);
    assert_diary(f, "open() msg(1234) close(-1003,1006) ");
    assert_true(fixture_peer_sees_end(f));
}

static void say_bye(struct fixture *f, struct span payload, bool is_binary)
{
    assert_int_equal(chan_send(f->chan, span_str("bye"), false), 0);
    chan_close(f->chan, 1000, span_str("text has no goodbye"));
    chan_close(f->chan, 1000, span_str("twice is fine"));
    assert_false(chan_is_open(f->chan));
    assert_true(chan_is_closing(f->chan));
    assert_int_equal(chan_send(f->chan, span_str("late"), false), GW_ECLOSED);
    assert_int_equal(chan_send_raw(f->chan, span_str("late")), GW_ECLOSED);
    assert_int_equal(chan_queue(f->chan, conn_pool_scratch(f->pool, 1), 0, 1), GW_ECLOSED);
}

static void closing_in_on_message_ignores_the_rest(void **state)
{
    struct fixture *f = *state;
    fixture_open(f, &text_codec);
    f->message_hook = say_bye;
    fixture_write(f, "a\nb\nc\n", 6);
    fixture_turn(f);
    assert_diary(f, "open() msg(a) close(0,1006) ");
    assert_peer_gets(f, "bye\n", 4);
}

static void drop(struct fixture *f, struct span payload, bool is_binary)
{
    assert_int_equal(chan_send(f->chan, span_str("dropped"), false), 0);
    chan_destroy(f->chan, GW_EAUTH);
}

static void destroying_in_on_message_drops_output(void **state)
{
    struct fixture *f = *state;
    fixture_open(f, &text_codec);
    f->message_hook = drop;
    fixture_write(f, "a\nb\n", 4);
    fixture_turn(f);
    assert_diary(f, "open() msg(a) close(-1005,1006) ");
    assert_peer_gets(f, "", 0);
}

static void hold(struct fixture *f, struct span payload, bool is_binary)
{
    conn_pause(chan_conn(f->chan));
}

static void a_pause_holds_the_messages_behind(void **state)
{
    struct fixture *f = *state;
    fixture_open(f, &text_codec);
    f->message_hook = hold;
    fixture_write(f, "a\nb\nc", 5);
    fixture_turn(f);
    assert_diary(f, "open() msg(a) ");
    fixture_turn(f);
    assert_diary(f, "");
    conn_resume(chan_conn(f->chan));
    fixture_turn(f);
    assert_diary(f, "msg(b) ");
    fixture_write(f, "\n", 1);
    conn_resume(chan_conn(f->chan));
    fixture_turn(f);
    fixture_turn(f);
    assert_diary(f, "msg(c) ");
}

static void dials_another_channel(void **state)
{
    struct fixture *f = *state;
    struct addr at;
    assert_int_equal(addr_parse("127.0.0.1:0", &at), 0);
    int listen_fd = sock_listen(&at, false, 4);
    assert_int_equal(sock_local(listen_fd, &at), 0);
    f->kind.codec = &text_codec;
    f->chan = chan_dial(f->pool, &at, &f->kind, f);
    assert_non_null(f->chan);
    assert_int_equal(chan_send(f->chan, span_str("before it is up"), false), 0);
    for (int i = 0; i < 100 && f->diary.len == 0; i++)
        assert_int_equal(loop_turn(f->loop, 10), 0);
    assert_diary(f, "open() ");
    f->peer_fd = accept4(listen_fd, NULL, NULL, 0);
    assert_true(f->peer_fd >= 0);
    char line[16];
    assert_int_equal(recv(f->peer_fd, line, sizeof line, MSG_WAITALL), 16);
    assert_memory_equal(line, "before it is up\n", 16);
    close(listen_fd);
}

static void an_echo_allocates_nothing_once_warm(void **state)
{
    struct fixture *f = *state;
    struct allocs mark = {0};
    char line[64];
    fixture_open(f, &text_codec);
    f->message_hook = echo;
    for (int i = 0; i < 1100; i++) {
        if (i == 100)
            mark = allocs_mark();
        fixture_write(f, "an echo\n", 8);
        fixture_turn(f);
        assert_int_equal(read(f->peer_fd, line, sizeof line), 8);
        buf_clear(&f->diary);
    }
    assert_int_equal(allocs_since(mark), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(text_carries_lines),
        FIXTURE_TEST(frames_carry_lengths),
        FIXTURE_TEST(tcp_hands_over_what_arrives),
        FIXTURE_TEST(raw_and_queued_bytes_pass_unframed),
        FIXTURE_TEST(a_bulk_channel_frames_in_place),
        FIXTURE_TEST(a_full_queue_is_told),
        FIXTURE_TEST(too_long_a_message_closes),
        FIXTURE_TEST(closing_in_on_message_ignores_the_rest),
        FIXTURE_TEST(destroying_in_on_message_drops_output),
        FIXTURE_TEST(a_pause_holds_the_messages_behind),
        FIXTURE_TEST(dials_another_channel),
        FIXTURE_TEST(an_echo_allocates_nothing_once_warm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
