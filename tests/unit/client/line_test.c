/* One request on a real socket: answers whole and byte by byte, a hello before them, and trouble.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "client/line.h"
#include "net/sock.h"
#include "proto/wire.h"
#include "support/vectors.h"

enum { DEADLINE_MS = 10000 };

/* How the answer is written: whole, one byte at a time, or in random cuts. */
enum cut { WHOLE, BYTES, RANDOM, CUTS };

/* The other end: accepts once, waits for the request, writes the answer, and closes when told. */
struct other {
    int listen_fd;
    pthread_t thread;
    struct span answer;
    enum cut cut;
    bool closes;
};

static size_t piece(enum cut cut, size_t left)
{
    if (cut == WHOLE)
        return left;
    size_t n = cut == BYTES ? 1 : 1 + (size_t)(random() % 5);
    return n < left ? n : left;
}

static void *serve(void *arg)
{
    struct other *o = arg;
    char byte;
    int fd = accept(o->listen_fd, NULL, NULL);

    (void)!read(fd, &byte, 1);
    for (struct span rest = o->answer; rest.len > 0;) {
        size_t n = piece(o->cut, rest.len);
        (void)!send(fd, rest.at, n, MSG_NOSIGNAL);
        rest = span_skip(rest, n);
        sched_yield();
    }
    if (!o->closes)
        while (read(fd, &byte, 1) > 0)
            ;
    close(fd);
    return NULL;
}

static struct line *start(struct other *o, const char *answer, size_t len, enum cut cut,
                          bool closes)
{
    struct addr at;

    assert_int_equal(addr_parse("127.0.0.1:0", &at), 0);
    *o = (struct other){.answer = span_of(answer, len), .cut = cut, .closes = closes};
    o->listen_fd = sock_listen(&at, false, 4);
    assert_true(o->listen_fd >= 0);
    assert_int_equal(fcntl(o->listen_fd, F_SETFL, 0), 0); /* accept() of the thread shall wait */
    assert_int_equal(sock_local(o->listen_fd, &at), 0);
    assert_int_equal(pthread_create(&o->thread, NULL, serve, o), 0);
    return line_new(&at, NULL, NULL);
}

static void ask(struct line *l, enum line_answer answer)
{
    line_begin(l, answer);
    buf_puts(&l->out, "?");
    lines_run(&l, 1, clock_mono_ms() + DEADLINE_MS);
}

static void stop(struct other *o, struct line *l)
{
    line_free(l);
    pthread_join(o->thread, NULL);
    close(o->listen_fd);
}

#define LITERAL(text) (text), sizeof(text) - 1
#define HELLO "\0\0\0\x2b\xdc\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0{\"gatehouse\":1}"

static const struct {
    const char *name;
    const char *bytes;
    size_t len;
    enum line_answer answer;
    const char *value; /* NULL: rc tells */
    int rc;
    bool is_ours;
} rows[] = {
    {"a reply", LITERAL("\0\0\0\4i:1;"), LINE_REPLY, "i:1;", 0, false},
    {"an empty reply", LITERAL("\0\0\0\0"), LINE_REPLY, "", 0, false},
    {"a line", LITERAL("{\"a\":1}\n"), LINE_TEXT, "{\"a\":1}", 0, false},
    {"hello and a reply", LITERAL(HELLO "\0\0\0\4i:0;"), LINE_HELLO, "i:0;", 0, true},
    {"no hello", LITERAL("\0\0\0\4i:0;"), LINE_HELLO, "i:0;", 0, false},
    {"a hello that is too long", LITERAL("\0\0\xff\xff\xdc"), LINE_HELLO, NULL, GW_ETOOBIG, false},
    {"a hello that is too short", LITERAL("\0\0\0\5\xdc"), LINE_HELLO, NULL, GW_EPROTO, false},
    {"a reply that is too long", LITERAL("\xff\0\0\0x"), LINE_REPLY, NULL, GW_ETOOBIG, false},
    {"an early end", LITERAL("\0\0\0\4i:1"), LINE_REPLY, NULL, GW_ECLOSED, false},
    {"an end without an answer", LITERAL(""), LINE_HELLO, NULL, GW_ECLOSED, false},
};

static void check(size_t row, enum cut cut)
{
    struct other o;
    struct line *l = start(&o, rows[row].bytes, rows[row].len, cut, rows[row].rc == GW_ECLOSED);

    print_message("%s, cut %d\n", rows[row].name, (int)cut);
    ask(l, rows[row].answer);
    assert_int_equal(l->rc, rows[row].rc);
    assert_int_equal(l->is_busy, false);
    if (rows[row].value)
        assert_bytes(rows[row].name, buf_span(&l->in), span_str(rows[row].value));
    else
        assert_int_equal(l->fd, -1);
    assert_int_equal(l->is_ours, rows[row].is_ours);
    stop(&o, l);
}

static void test_answers_in_any_cut(void **state)
{
    for (size_t row = 0; row < ARRAY_LEN(rows); row++)
        for (enum cut cut = WHOLE; cut < CUTS; cut++)
            check(row, cut);
}

/* What was agreed ends with the connection that it was agreed on. */
static void test_a_new_connection_has_agreed_to_nothing(void **state)
{
    struct other o;
    struct line *l = start(&o, LITERAL(HELLO "\0\0\0\4i:0;"), WHOLE, true);

    ask(l, LINE_HELLO);
    l->is_offered = true;
    assert_true(l->is_ours);
    pthread_join(o.thread, NULL); /* closed by the other side */
    line_refresh(l);
    assert_int_equal(l->fd, -1);
    assert_false(l->is_ours);
    assert_false(l->is_offered);
    line_free(l);
    close(o.listen_fd);
}

static void test_a_late_answer_closes_the_line(void **state)
{
    struct other o;
    struct line *l = start(&o, LITERAL("\0\0\0\4i:"), WHOLE, false);

    line_begin(l, LINE_REPLY);
    buf_puts(&l->out, "?");
    lines_run(&l, 1, clock_mono_ms() + 50);
    assert_int_equal(l->rc, GW_ETIMEOUT);
    assert_int_equal(l->fd, -1);
    stop(&o, l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_in_any_cut),
        cmocka_unit_test(test_a_new_connection_has_agreed_to_nothing),
        cmocka_unit_test(test_a_late_answer_closes_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
