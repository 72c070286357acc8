/* A channel over one end of a socket pair, with a diary of what it told. For the tests of chan. */
#ifndef UNIT_CHAN_CHAN_FIXTURE_H
#define UNIT_CHAN_CHAN_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/buf.h"
#include "base/mem.h"
#include "chan/chan.h"
#include "proto/http.h"

/* The diary, one word per event: "open(/path)" "msg(text)" "bin(…)" "control" "drain"
 * "close(why,code)". */
struct fixture {
    struct loop *loop;
    struct conn_pool *pool;
    struct chan *chan;
    int peer_fd;
    struct chan_kind kind;
    struct chan_events events;
    struct buf diary;
    void (*open_hook)(struct fixture *f);
    void (*message_hook)(struct fixture *f, struct span payload, bool is_binary);
};

static inline void fixture_on_open(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct fixture *f = owner;
    struct span path = ev->request ? ev->request->path : span_str("");
    buf_printf(&f->diary, "open(%.*s) ", (int)path.len, (const char *)path.at);
    assert_true(chan_is_open(ch));
    if (f->open_hook)
        f->open_hook(f);
}

static inline void fixture_on_message(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct fixture *f = owner;
    buf_printf(&f->diary, "%s(%.*s) ", ev->is_binary ? "bin" : "msg", (int)ev->payload.len,
               (const char *)ev->payload.at);
    if (f->message_hook)
        f->message_hook(f, ev->payload, ev->is_binary);
}

static inline void fixture_on_control(struct chan *ch, void *owner)
{
    struct fixture *f = owner;
    buf_puts(&f->diary, "control ");
}

static inline void fixture_on_drain(struct chan *ch, void *owner)
{
    struct fixture *f = owner;
    buf_puts(&f->diary, "drain ");
}

static inline void fixture_on_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    struct fixture *f = owner;
    buf_printf(&f->diary, "close(%d,%u) ", why, close_code);
    f->chan = NULL;
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);
    f->loop = loop_new();
    f->pool = conn_pool_new(f->loop);
    f->peer_fd = -1;
    f->events = (struct chan_events){
        .on_open = fixture_on_open,
        .on_message = fixture_on_message,
        .on_control = fixture_on_control,
        .on_drain = fixture_on_drain,
        .on_close = fixture_on_close,
    };
    f->kind = (struct chan_kind){
        .codec_conf = {.message_max_bytes = 1 << 20, .head_max_bytes = 8192, .fragments_max_n = 64},
        .conn_conf = {.out_max_bytes = 1 << 20, .in_max_bytes = 2 << 20, .close_timeout_ms = 400},
        .events = &f->events,
        .open_timeout_ms = 300,
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
    buf_fini(&f->diary);
    mem_free(f);
    return 0;
}

static inline void fixture_turn(struct fixture *f)
{
    assert_int_equal(loop_turn(f->loop, 0), 0);
}

static inline void fixture_open(struct fixture *f, const struct codec *codec)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    f->peer_fd = fds[1];
    f->kind.codec = codec;
    f->chan = chan_new(f->pool, fds[0], NULL, &plain_transport, NULL, &f->kind, f);
    assert_non_null(f->chan);
    assert_int_equal(f->diary.len, 0);
    fixture_turn(f);
}

static inline void fixture_write(struct fixture *f, const void *at, size_t len)
{
    ssize_t n = write(f->peer_fd, at, len);
    assert_int_equal(n, len);
}

/* What the diary holds since the last look. */
static inline void assert_diary(struct fixture *f, const char *want)
{
    if (!span_is(buf_span(&f->diary), want))
        fail_msg("the diary says \"%s\", want \"%s\"", buf_cstr(&f->diary), want);
    buf_clear(&f->diary);
}

static inline void fixture_read(struct fixture *f, struct buf *in)
{
    for (;;) {
        ssize_t n = read(f->peer_fd, buf_reserve(in, 65536), 65536);
        if (n <= 0)
            return;
        buf_commit(in, (size_t)n);
    }
}

/* Exactly these bytes are what the peer can read. */
static inline void assert_peer_gets(struct fixture *f, const void *want, size_t len)
{
    struct buf in = {0};
    fixture_read(f, &in);
    if (!span_eq(buf_span(&in), span_of(want, len)))
        fail_msg("the peer got %zu bytes \"%s\", want %zu", in.len, buf_cstr(&in), len);
    buf_fini(&in);
}

static inline bool fixture_peer_sees_end(struct fixture *f)
{
    char byte;
    return read(f->peer_fd, &byte, 1) == 0;
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
