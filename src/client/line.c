/* Each line goes connecting → (shaking hands) → writing → reading → done; poll() says which can
 * move. */
#include "client/line.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "client/sigpipe.h"
#include "net/loop.h"
#include "net/peer_tls.h"
#include "net/sock.h"
#include "proto/phpser.h"
#include "proto/wire.h"

enum { READ_STEP = 64 * 1024, REPLY_HEAD = 4, TEXT_MAX = 1024 * 1024, HELLO_MAX = 4096 };

struct line *line_new(const struct addr *to, const char *host, const struct peer_tls *tls)
{
    struct line *l = mem_zalloc(sizeof *l);
    char ip[ADDR_TEXT_MAX];

    addr_text(to, ip);
    l->to = *to;
    l->host = mem_strdup(host ? host : ip);
    l->tls = tls;
    l->fd = -1;
    l->transport = &plain_transport;
    return l;
}

void line_close(struct line *l)
{
    l->transport->free(l->transport_state);
    l->transport = &plain_transport;
    l->transport_state = NULL;
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
    l->is_connecting = false;
    l->is_shaking = false;
    l->wants = 0;
    l->is_offered = false;
    l->is_ours = false;
    buf_fini(&l->out);
    buf_fini(&l->in);
}

void line_free(struct line *l)
{
    if (!l)
        return;
    line_close(l);
    mem_free(l->host);
    mem_free(l);
}

static void finish(struct line *l, int rc)
{
    l->rc = rc;
    l->is_busy = false;
    if (rc < 0)
        line_close(l);
}

/* Between calls nothing may arrive: readable means that the peer closed, or that it is out of step.
 */
static bool is_stale(const struct line *l)
{
    uint8_t byte;
    unsigned wants;

    return l->transport->read(l->transport_state, l->fd, &byte, 1, &wants) != -EAGAIN;
}

void line_refresh(struct line *l)
{
    if (l->fd >= 0 && is_stale(l))
        line_close(l);
}

void line_begin(struct line *l, enum line_answer answer)
{
    if (l->is_busy) {
        l->answer = answer;
        return;
    }
    line_refresh(l);
    l->wants = 0;
    buf_clear(&l->out);
    buf_clear(&l->in);
    l->answer = answer;
    l->is_busy = true;
    l->rc = 0;
    if (l->fd >= 0)
        return;
    int rc = peer_tls_dial(l->tls, l->host, &l->transport, &l->transport_state);
    if (rc == 0)
        rc = sock_connect(&l->to);
    if (rc < 0) {
        finish(l, rc);
        return;
    }
    l->fd = rc;
    l->is_connecting = true;
}

static void shake(struct line *l)
{
    int rc = l->transport->handshake(l->transport_state, l->fd, &l->wants);

    l->is_shaking = rc == -EAGAIN;
    if (rc == 0)
        l->wants = 0;
    else if (rc != -EAGAIN)
        finish(l, rc);
}

static void on_connected(struct line *l)
{
    int rc = sock_error(l->fd);

    l->is_connecting = false;
    if (rc < 0)
        finish(l, rc);
    else {
        sock_tune(l->fd);
        shake(l);
    }
}

static void write_out(struct line *l)
{
    struct iovec all = {.iov_base = l->out.at, .iov_len = l->out.len};
    ssize_t n = l->transport->writev(l->transport_state, l->fd, &all, 1, &l->wants);

    if (n < 0) {
        if (n != -EAGAIN)
            finish(l, (int)n);
        return;
    }
    l->wants = 0;
    buf_consume(&l->out, (size_t)n);
    if (l->out.len == 0 && l->answer == LINE_NO_ANSWER)
        finish(l, 0);
}

static int text_is_complete(struct line *l)
{
    ptrdiff_t end = span_find(buf_span(&l->in), '\n');

    if (end >= 0)
        l->in.len = (size_t)end;
    return end >= 0 ? 1 : l->in.len > TEXT_MAX ? GW_ETOOBIG : 0;
}

static int reply_is_complete(struct line *l)
{
    if (l->in.len < REPLY_HEAD)
        return 0;
    size_t len = get_u32be(l->in.at);
    if (len > PHP_BYTES_MAX)
        return GW_ETOOBIG;
    if (l->in.len < REPLY_HEAD + len)
        return 0;
    if (l->in.len > REPLY_HEAD + len)
        return GW_EPROTO;
    buf_consume(&l->in, REPLY_HEAD);
    return 1;
}

/* Behind the length a packet has its number there, a reply the letter that a serialized value
 * begins with; no letter is as high as 220. */
static bool begins_with_hello(const struct line *l)
{
    return l->in.len > REPLY_HEAD && l->in.at[REPLY_HEAD] == CMD_HELLO;
}

static int hello_is_complete(struct line *l)
{
    if (l->in.len <= REPLY_HEAD)
        return 0;
    if (begins_with_hello(l)) {
        struct wire_packet hello;
        ssize_t n = wire_decode(buf_span(&l->in), HELLO_MAX, &hello);
        if (n <= 0)
            return (int)n;
        buf_consume(&l->in, (size_t)n);
        l->is_ours = true;
        l->answer = LINE_REPLY;
    }
    return reply_is_complete(l);
}

/* 1 the answer is complete, 0 not yet, < 0 it never will be. */
static int is_complete(struct line *l)
{
    switch (l->answer) {
    case LINE_TEXT:
        return text_is_complete(l);
    case LINE_HELLO:
        return hello_is_complete(l);
    default:
        return reply_is_complete(l);
    }
}

/* False: there is nothing more to read now. */
static bool read_step(struct line *l)
{
    uint8_t *room = buf_try_reserve(&l->in, READ_STEP);
    if (!room) {
        finish(l, -ENOMEM);
        return false;
    }
    ssize_t n = l->transport->read(l->transport_state, l->fd, room, READ_STEP, &l->wants);
    if (n <= 0) {
        if (n != -EAGAIN)
            finish(l, n < 0 ? (int)n : GW_ECLOSED);
        return false;
    }
    buf_commit(&l->in, (size_t)n);
    int rc = is_complete(l);
    if (rc != 0)
        finish(l, rc < 0 ? rc : 0);
    return l->is_busy && n == READ_STEP;
}

/* What a transport has decrypted already no poll() will tell of. */
static void read_in(struct line *l)
{
    while (read_step(l))
        ;
}

static short wanted(const struct line *l)
{
    if (!l->is_busy)
        return 0;
    if (!l->is_connecting && l->wants != 0)
        return (short)((l->wants & LOOP_READ ? POLLIN : 0) | (l->wants & LOOP_WRITE ? POLLOUT : 0));
    return l->is_connecting || l->out.len > 0 ? POLLOUT : POLLIN;
}

static void move(struct line *l)
{
    if (l->is_connecting)
        on_connected(l);
    else if (l->is_shaking)
        shake(l);
    else if (l->out.len > 0)
        write_out(l);
    else
        read_in(l);
}

/* Milliseconds left, at least 1 so that poll() does not spin; < 0 when there are none. */
static int left_ms(uint64_t deadline_ms)
{
    uint64_t now = clock_mono_ms();

    if (now >= deadline_ms)
        return -1;
    return deadline_ms - now > INT32_MAX ? INT32_MAX : (int)(deadline_ms - now);
}

static size_t collect(struct line *const *lines, size_t n, struct pollfd *fds)
{
    size_t busy_n = 0;

    for (size_t i = 0; i < n; i++) {
        bool is_busy = lines[i]->is_busy;
        fds[i] = (struct pollfd){.fd = is_busy ? lines[i]->fd : -1, .events = wanted(lines[i])};
        busy_n += is_busy;
    }
    return busy_n;
}

/* OpenSSL writes to its sockets without MSG_NOSIGNAL. */
static bool may_raise_sigpipe(struct line *const *lines, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (lines[i]->transport_state)
            return true;
    return false;
}

void lines_run(struct line *const *lines, size_t n, uint64_t deadline_ms)
{
    struct pollfd *fds = mem_zalloc(n * sizeof *fds);
    struct sigpipe held;
    bool is_held = may_raise_sigpipe(lines, n);

    if (is_held)
        sigpipe_hold(&held);
    while (collect(lines, n, fds) > 0) {
        int wait_ms = left_ms(deadline_ms);
        if (wait_ms < 0)
            break;
        if (poll(fds, (nfds_t)n, wait_ms) < 0 && errno != EINTR)
            break;
        for (size_t i = 0; i < n; i++)
            if (fds[i].fd >= 0 && fds[i].revents != 0)
                move(lines[i]);
    }
    for (size_t i = 0; i < n; i++)
        if (lines[i]->is_busy)
            finish(lines[i], GW_ETIMEOUT);
    if (is_held)
        sigpipe_drop(&held);
    mem_free(fds);
}
