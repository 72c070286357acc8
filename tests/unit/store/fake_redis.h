/* A Redis that answers each command with the next text of a script, on the loop of the test. */
#ifndef UNIT_FAKE_REDIS_H
#define UNIT_FAKE_REDIS_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/listener.h"
#include "net/sock.h"
#include "store_fixture.h"

struct fake_redis {
    struct listener *listener;
    int listen_fd;
    uint16_t port;
    struct watch watch; /* of the one connection */
    bool is_connected;
    size_t connections_n;
    struct buf in;             /* not yet answered */
    struct buf got;            /* "HINCRBY k f 1\n" for each command */
    const char *const *script; /* NULL at the end: no more answers */
};

static struct fake_redis fake;

/* One whole command off the front of fake.in, its words into fake.got. */
static bool take_command(void)
{
    const char *begin = buf_cstr(&fake.in);
    const char *at = begin;
    char *end;
    if (*at != '*')
        return false;
    long words_n = strtol(at + 1, &end, 10);
    at = end + 2;
    size_t len_before = fake.got.len;
    for (long i = 0; i < words_n; i++) {
        if (at >= begin + fake.in.len || *at != '$')
            goto need_more;
        long len = strtol(at + 1, &end, 10);
        at = end + 2;
        if (at + len + 2 > begin + fake.in.len)
            goto need_more;
        buf_put(&fake.got, at, (size_t)len);
        buf_putc(&fake.got, i + 1 < words_n ? ' ' : '\n');
        at += len + 2;
    }
    buf_consume(&fake.in, (size_t)(at - begin));
    return true;
need_more:
    fake.got.len = len_before;
    return false;
}

static void fake_hang_up(void)
{
    if (!fake.is_connected)
        return;
    watch_stop(fx.loop, &fake.watch);
    close(fake.watch.fd);
    fake.is_connected = false;
    buf_clear(&fake.in);
}

static void on_fake_input(struct watch *w, unsigned ready)
{
    uint8_t *at = buf_reserve(&fake.in, 65536);
    ssize_t n = read(w->fd, at, 65536);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN)
            fake_hang_up();
        return;
    }
    buf_commit(&fake.in, (size_t)n);
    while (fake.in.len > 0 && take_command()) {
        if (*fake.script && strcmp(*fake.script, "hang up") == 0) {
            fake.script++;
            fake_hang_up();
            return;
        }
        if (!*fake.script)
            continue;
        size_t len = strlen(*fake.script);
        assert_int_equal(write(w->fd, *fake.script++, len), (ssize_t)len);
    }
}

static void on_fake_accept(void *owner, int fd, const struct addr *peer)
{
    fake_hang_up();
    fake.connections_n++;
    fake.watch.fd = fd;
    fake.watch.on_ready = on_fake_input;
    fake.is_connected = true;
    assert_int_equal(watch_start(fx.loop, &fake.watch, LOOP_READ), 0);
}

static void fake_listen(const char *const *script)
{
    struct addr any;
    struct addr bound;
    fake = (struct fake_redis){.script = script};
    assert_int_equal(addr_parse("127.0.0.1:0", &any), 0);
    fake.listen_fd = sock_listen(&any, false, 16);
    assert_true(fake.listen_fd >= 0);
    assert_int_equal(sock_local(fake.listen_fd, &bound), 0);
    fake.port = bound.port;
    fake.listener = listener_start(fx.loop, fake.listen_fd, on_fake_accept, NULL);
    assert_non_null(fake.listener);
}

static void fake_close(void)
{
    fake_hang_up();
    if (fake.listener) {
        listener_stop(fake.listener);
        close(fake.listen_fd);
    }
    fake.listener = NULL;
    buf_fini(&fake.in);
    buf_fini(&fake.got);
}

#endif
