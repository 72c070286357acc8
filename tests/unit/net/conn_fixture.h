/* A connection over one end of a socket pair, with a notebook of what it told. For the tests of
 * conn. */
#ifndef UNIT_NET_CONN_FIXTURE_H
#define UNIT_NET_CONN_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/mem.h"
#include "net/conn.h"

struct fixture {
    struct loop *loop;
    struct conn_pool *pool;
    struct conn *conn;
    int peer_fd; /* non-blocking; -1 when closed */
    struct conn_conf conf;
    struct conn_events events;
    struct buf got; /* input that on_bytes used */
    size_t use_max; /* most that on_bytes uses per call; 0: all */
    int answer;     /* on_bytes returns this when < 0 */
    void (*on_bytes_hook)(struct fixture *f);
    int opened_n;
    int bytes_n;
    int drained_n;
    int deadline_n;
    int closed_n;
    int why;
};

static inline void fixture_on_open(struct conn *c, void *owner)
{
    struct fixture *f = owner;
    assert_int_equal(f->opened_n, 0);
    assert_int_equal(f->closed_n, 0);
    f->opened_n++;
}

static inline ssize_t fixture_on_bytes(struct conn *c, void *owner, uint8_t *at, size_t len)
{
    struct fixture *f = owner;
    assert_int_equal(f->opened_n, 1);
    assert_int_equal(f->closed_n, 0);
    assert_true(len > 0);
    f->bytes_n++;
    size_t used = f->use_max && f->use_max < len ? f->use_max : len;
    buf_put(&f->got, at, used);
    if (f->on_bytes_hook)
        f->on_bytes_hook(f);
    return f->answer < 0 ? f->answer : (ssize_t)used;
}

static inline void fixture_on_drain(struct conn *c, void *owner)
{
    struct fixture *f = owner;
    assert_int_equal(f->closed_n, 0);
    f->drained_n++;
}

static inline void fixture_on_deadline(struct conn *c, void *owner)
{
    struct fixture *f = owner;
    f->deadline_n++;
}

static inline void fixture_on_close(struct conn *c, void *owner, int why)
{
    struct fixture *f = owner;
    assert_int_equal(f->closed_n, 0);
    f->closed_n++;
    f->why = why;
    f->conn = NULL;
}

static inline void fixture_turn(struct fixture *f)
{
    assert_int_equal(loop_turn(f->loop, 0), 0);
}

/* Turns until the condition holds; a hundred thousand turns without it are a failure. */
#define FIXTURE_TURN_UNTIL(f, condition)                                                           \
    do {                                                                                           \
        int turns_n_ = 0;                                                                          \
        while (!(condition)) {                                                                     \
            assert_in_range(turns_n_++, 0, 100000);                                                \
            assert_int_equal(loop_turn((f)->loop, 10), 0);                                         \
        }                                                                                          \
    } while (0)

static inline struct conn *fixture_adopt(struct fixture *f, int fd)
{
    return conn_new(f->pool, fd, NULL, &plain_transport, NULL, &f->conf, &f->events, f);
}

static inline void fixture_open(struct fixture *f)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    f->peer_fd = fds[1];
    f->conn = fixture_adopt(f, fds[0]);
    assert_non_null(f->conn);
    assert_int_equal(f->opened_n, 0); /* never from inside the call */
    fixture_turn(f);
    assert_int_equal(f->opened_n, 1);
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);
    f->loop = loop_new();
    f->pool = conn_pool_new(f->loop);
    f->peer_fd = -1;
    f->conf = (struct conn_conf){.out_max_bytes = 1 << 20, .in_max_bytes = 8 << 20};
    f->events = (struct conn_events){
        .on_open = fixture_on_open,
        .on_bytes = fixture_on_bytes,
        .on_drain = fixture_on_drain,
        .on_close = fixture_on_close,
        .on_deadline = fixture_on_deadline,
    };
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    conn_pool_free(f->pool);
    loop_free(f->loop);
    if (f->peer_fd >= 0)
        close(f->peer_fd);
    buf_fini(&f->got);
    mem_free(f);
    return 0;
}

static inline void fixture_peer_close(struct fixture *f)
{
    close(f->peer_fd);
    f->peer_fd = -1;
}

/* Everything that the peer can read now is appended to `in`; returns false at the end. */
static inline bool fixture_peer_read(struct fixture *f, struct buf *in)
{
    for (;;) {
        ssize_t n = read(f->peer_fd, buf_reserve(in, 65536), 65536);
        if (n <= 0) {
            if (n < 0)
                assert_int_equal(errno, EAGAIN);
            return n < 0;
        }
        buf_commit(in, (size_t)n);
    }
}

static inline void fixture_peer_write(struct fixture *f, const char *text)
{
    ssize_t n = write(f->peer_fd, text, strlen(text));
    assert_int_equal(n, strlen(text));
}

static inline void assert_buf_is(const struct buf *b, const char *text)
{
    if (!span_is(buf_span(b), text))
        fail_msg("got \"%.*s\", want \"%s\"", (int)b->len, (const char *)b->at, text);
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
