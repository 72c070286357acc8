/* Redialling: up, down and up again, failures before there is a channel, stopping at any time. */
#include "chan/redial.h"

#include "net/sock.h"
#include "unit/chan/chan_fixture.h"

enum { RETRY_MS = 20 };

struct server {
    int fd;
    struct addr at;
    char text[ADDR_TEXT_MAX];
};

static struct server listen_at(const char *text)
{
    struct server s;
    assert_int_equal(addr_parse(text, &s.at), 0);
    s.fd = sock_listen(&s.at, false, 4);
    assert_true(s.fd >= 0);
    assert_int_equal(sock_local(s.fd, &s.at), 0);
    addr_text(&s.at, s.text);
    return s;
}

static int accept_soon(const struct server *s)
{
    int fd;
    do
        fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK);
    while (fd < 0 && errno == EAGAIN);
    assert_true(fd >= 0);
    return fd;
}

static void turn_until(struct fixture *f, const char *word)
{
    for (int turns_n = 0; !strstr(buf_cstr(&f->diary), word); turns_n++) {
        assert_in_range(turns_n, 0, 1000);
        assert_int_equal(loop_turn(f->loop, 10), 0);
    }
}

static void comes_back_after_every_end(void **state)
{
    struct fixture *f = *state;
    struct server s = listen_at("127.0.0.1:0");
    f->kind.codec = &text_codec;
    struct redial *r = redial_start(f->pool, s.text, &f->kind, NULL, RETRY_MS, f);
    assert_string_equal(redial_address(r), s.text);
    assert_null(redial_chan(r));
    assert_int_equal(f->diary.len, 0);
    for (int i = 0; i < 3; i++) {
        turn_until(f, "open() ");
        assert_diary(f, "open() ");
        struct chan *ch = redial_chan(r);
        assert_non_null(ch);
        assert_ptr_equal(chan_owner(ch), f);
        int peer = accept_soon(&s);
        assert_int_equal(write(peer, "hi\n", 3), 3);
        turn_until(f, "msg");
        assert_diary(f, "msg(hi) ");
        close(peer);
        turn_until(f, "close");
        assert_diary(f, "close(-1000,1006) ");
        assert_null(redial_chan(r));
    }
    redial_stop(r);
    close(s.fd);
}

static void waits_until_somebody_listens(void **state)
{
    struct fixture *f = *state;
    struct server s = listen_at("127.0.0.1:0");
    close(s.fd);
    f->kind.codec = &text_codec;
    struct redial *r = redial_start(f->pool, s.text, &f->kind, NULL, RETRY_MS, f);
    turn_until(f, "close(-111,1006) close(-111,1006) "); /* ECONNREFUSED, twice */
    s = listen_at(s.text);
    turn_until(f, "open");
    assert_non_null(redial_chan(r));
    redial_stop(r);
    close(s.fd);
}

static void on_failure(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    struct fixture *f = owner;
    assert_null(ch);
    assert_true(why < 0);
    buf_puts(&f->diary, "failed ");
}

static void a_name_that_cannot_be_is_a_failed_attempt(void **state)
{
    struct fixture *f = *state;
    f->kind.codec = &text_codec;
    f->events.on_close = on_failure;
    struct redial *r = redial_start(f->pool, "no port here", &f->kind, NULL, RETRY_MS, f);
    turn_until(f, "failed failed ");
    redial_stop(r);
}

static struct redial *to_stop;

static void stop_on_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    struct fixture *f = owner;
    buf_puts(&f->diary, "stopped ");
    redial_stop(to_stop);
}

static void may_be_stopped_in_on_close(void **state)
{
    struct fixture *f = *state;
    struct server s = listen_at("127.0.0.1:0");
    close(s.fd);
    f->kind.codec = &text_codec;
    f->events.on_close = stop_on_close;
    to_stop = redial_start(f->pool, s.text, &f->kind, NULL, RETRY_MS, f);
    turn_until(f, "stopped ");
    to_stop = redial_start(f->pool, "no port here", &f->kind, NULL, RETRY_MS, f);
    turn_until(f, "stopped stopped ");
    assert_int_equal(loop_timers_n(f->loop), 0);
    assert_diary(f, "stopped stopped ");
}

static void stopping_flushes_and_tells_the_end(void **state)
{
    struct fixture *f = *state;
    struct server s = listen_at("127.0.0.1:0");
    f->kind.codec = &text_codec;
    struct redial *r = redial_start(f->pool, s.text, &f->kind, NULL, RETRY_MS, f);
    turn_until(f, "open");
    assert_int_equal(chan_send(redial_chan(r), span_str("last"), false), 0);
    redial_stop(r);
    turn_until(f, "close(0,1006) ");
    char line[8];
    f->peer_fd = accept_soon(&s);
    close(s.fd);
    assert_int_equal(read(f->peer_fd, line, sizeof line), 5);
    assert_memory_equal(line, "last\n", 5);
}

static void stopping_before_anything_happened_is_silent(void **state)
{
    struct fixture *f = *state;
    f->kind.codec = &text_codec;
    redial_stop(redial_start(f->pool, "127.0.0.1:1", &f->kind, NULL, RETRY_MS, f));
    struct redial *r = redial_start(f->pool, "localhost:1", &f->kind, NULL, RETRY_MS, f);
    fixture_turn(f); /* the look-up runs */
    redial_stop(r);
    redial_stop(NULL);
    for (int i = 0; i < 5; i++)
        fixture_turn(f);
    assert_diary(f, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(comes_back_after_every_end),
        FIXTURE_TEST(waits_until_somebody_listens),
        FIXTURE_TEST(a_name_that_cannot_be_is_a_failed_attempt),
        FIXTURE_TEST(may_be_stopped_in_on_close),
        FIXTURE_TEST(stopping_flushes_and_tells_the_end),
        FIXTURE_TEST(stopping_before_anything_happened_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
