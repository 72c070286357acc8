/* A kernel of sockets in memory, on which a whole role runs inside a fuzz target. */
#include "fuzz/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"

enum {
    FD_FIRST = 100000, /* above what the real kernel gives out */
    EPOLL_FD = FD_FIRST - 1,
    CABLES_MAX = 512,
    ROOM_BYTES = 64 * 1024,
    OWN_PORT = 40000, /* of what the process dials */
};
#define BEGIN_US UINT64_C(1000000000000)

enum cable_kind { CABLE_NONE /* free */, CABLE_SOCKET, CABLE_LISTENER };
enum cable_phase { CABLE_FRESH, CABLE_DIALLED, CABLE_IN_BACKLOG, CABLE_UP, CABLE_REFUSED };

struct cable {
    enum cable_kind kind;
    enum cable_phase phase;
    bool is_held;  /* the process has its descriptor open */
    bool is_ended; /* nothing more is said to the process */
    bool is_reset;
    bool is_left; /* nobody is at the other end: a reset answers what is written */
    bool is_shut; /* the process writes no more */
    int listener;
    struct addr here, there;
    struct buf in, out;
    size_t room;
    bool is_watched;
    struct epoll_event interest;
};

static struct {
    struct cable cables[CABLES_MAX];
    int cables_n;
    bool has_epoll;
    size_t grain;
    int accept_error;
    unsigned accept_errors_n;
    uint64_t now_us;
} k;

static NORETURN void broken(const char *call, int fd)
{
    fprintf(stderr, "%s: descriptor %d must not be used like this\n", call, fd);
    abort();
}

static bool is_ours(int fd)
{
    return fd >= FD_FIRST && fd < FD_FIRST + CABLES_MAX;
}

static struct cable *cable_of(int fd, const char *call)
{
    if (!is_ours(fd) || !k.cables[fd - FD_FIRST].is_held)
        broken(call, fd);
    return &k.cables[fd - FD_FIRST];
}

static int fd_of(const struct cable *c)
{
    return FD_FIRST + (int)(c - k.cables);
}

static struct addr local(uint16_t port)
{
    struct addr a = {.family = AF_INET, .port = port, .ip = {127, 0, 0, 1}};
    return a;
}

static struct cable *cable_new(enum cable_kind kind, enum cable_phase phase)
{
    int i = 0;
    while (i < k.cables_n && k.cables[i].kind != CABLE_NONE)
        i++;
    if (i == CABLES_MAX)
        return NULL;
    if (i == k.cables_n)
        k.cables_n++;
    struct cable *c = &k.cables[i];
    *c = (struct cable){.kind = kind, .phase = phase, .room = ROOM_BYTES};
    return c;
}

static int fail(int error)
{
    errno = error;
    return -1;
}

/* ---- those outside ---- */

void kernel_init(void)
{
    memset(&k, 0, sizeof(k));
    k.now_us = BEGIN_US;
    clock_fake(&k.now_us);
}

void kernel_fini(void)
{
    for (int i = 0; i < k.cables_n; i++) {
        struct cable *c = &k.cables[i];
        if (c->is_held && c->kind != CABLE_LISTENER)
            broken("the end of the run", fd_of(c));
        buf_fini(&c->in);
        buf_fini(&c->out);
    }
    if (k.has_epoll)
        broken("the end of the run", EPOLL_FD);
    clock_fake(NULL);
}

void kernel_recycle(void)
{
    for (int i = 0; i < k.cables_n; i++) {
        struct cable *c = &k.cables[i];
        if (c->is_held)
            continue;
        buf_fini(&c->in);
        buf_fini(&c->out);
        c->kind = CABLE_NONE;
    }
}

void kernel_pass(uint64_t ms)
{
    k.now_us += ms * 1000;
}

void kernel_set_grain(size_t n)
{
    k.grain = n;
}

void kernel_fail_accepts(int error, unsigned times)
{
    k.accept_error = error;
    k.accept_errors_n = times;
}

int kernel_listen(uint16_t port)
{
    struct cable *c = cable_new(CABLE_LISTENER, CABLE_UP);
    if (!c)
        abort();
    c->is_held = true;
    c->here = local(port);
    return fd_of(c);
}

struct cable *kernel_dial(int listener, uint16_t from_port)
{
    struct cable *c = cable_new(CABLE_SOCKET, CABLE_IN_BACKLOG);
    if (!c)
        return NULL;
    c->listener = listener;
    c->here = k.cables[listener - FD_FIRST].here;
    c->there = local(from_port);
    return c;
}

struct cable *kernel_dialled(void)
{
    for (int i = 0; i < k.cables_n; i++)
        if (k.cables[i].phase == CABLE_DIALLED && k.cables[i].is_held)
            return &k.cables[i];
    return NULL;
}

uint16_t cable_port(const struct cable *c)
{
    return c->there.port;
}

void cable_answer(struct cable *c, bool is_accepted)
{
    c->phase = is_accepted ? CABLE_UP : CABLE_REFUSED;
}

void cable_say(struct cable *c, const void *at, size_t len)
{
    if (!c->is_ended && !c->is_reset)
        buf_put(&c->in, at, len);
}

void cable_end(struct cable *c)
{
    c->is_ended = true;
}

void cable_leave(struct cable *c)
{
    if (c->room == 0)
        cable_reset(c); /* there is output that was not read */
    c->is_ended = c->is_left = true;
}

void cable_reset(struct cable *c)
{
    c->is_reset = true;
    buf_clear(&c->in);
}

void cable_set_room(struct cable *c, size_t bytes)
{
    c->room = bytes;
}

struct buf *cable_heard(struct cable *c)
{
    return &c->out;
}

bool cable_is_over(const struct cable *c)
{
    return c->is_shut || (c->phase != CABLE_IN_BACKLOG && !c->is_held);
}

/* ---- epoll ---- */

static bool has_waiting(int listener)
{
    for (int i = 0; i < k.cables_n; i++)
        if (k.cables[i].kind == CABLE_SOCKET && k.cables[i].phase == CABLE_IN_BACKLOG &&
            k.cables[i].listener == listener)
            return true;
    return false;
}

static uint32_t readiness(const struct cable *c)
{
    if (c->kind == CABLE_LISTENER)
        return has_waiting(fd_of(c)) ? EPOLLIN : 0U;
    if (c->phase == CABLE_DIALLED)
        return 0;
    if (c->phase == CABLE_REFUSED || c->is_reset)
        return (uint32_t)EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP;
    return (c->in.len > 0 || c->is_ended ? (uint32_t)EPOLLIN : 0) |
           (c->room > 0 ? (uint32_t)EPOLLOUT : 0) |
           (c->is_ended && c->is_shut ? (uint32_t)EPOLLHUP : 0);
}

int __wrap_epoll_create1(int flags);
int __wrap_epoll_create1(int flags)
{
    if (k.has_epoll)
        broken("epoll_create1", EPOLL_FD);
    k.has_epoll = true;
    return EPOLL_FD;
}

int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    struct cable *c = cable_of(fd, "epoll_ctl");
    if (c->is_watched == (operation == EPOLL_CTL_ADD))
        return fail(c->is_watched ? EEXIST : ENOENT);
    c->is_watched = operation != EPOLL_CTL_DEL;
    c->interest = *event;
    return 0;
}

int __wrap_epoll_wait(int epoll, struct epoll_event *events, int max_n, int timeout_ms);
int __wrap_epoll_wait(int epoll, struct epoll_event *events, int max_n, int timeout_ms)
{
    int n = 0;
    for (int i = 0; i < k.cables_n && n < max_n; i++) {
        const struct cable *c = &k.cables[i];
        if (!c->is_held || !c->is_watched)
            continue;
        uint32_t ready = readiness(c) & (c->interest.events | EPOLLERR | EPOLLHUP);
        if (ready)
            events[n++] = (struct epoll_event){.events = ready, .data = c->interest.data};
    }
    return n;
}

/* ---- sockets ---- */

int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
    struct cable *c = cable_new(CABLE_SOCKET, CABLE_FRESH);
    if (!c)
        return fail(EMFILE);
    c->is_held = true;
    c->here = local(OWN_PORT);
    return fd_of(c);
}

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t len)
{
    struct cable *c = cable_of(fd, "connect");
    c->phase = CABLE_DIALLED;
    addr_from_sockaddr(to, &c->there);
    return fail(EINPROGRESS);
}

static int put_name(const struct addr *a, struct sockaddr *to, socklen_t *len)
{
    struct sockaddr_storage ss = {0};
    socklen_t full = addr_to_sockaddr(a, &ss);
    memcpy(to, &ss, *len < full ? *len : full);
    *len = full;
    return 0;
}

int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *from, socklen_t *len, int flags)
{
    (void)cable_of(fd, "accept4");
    if (k.accept_errors_n > 0) {
        k.accept_errors_n--;
        return fail(k.accept_error);
    }
    for (int i = 0; i < k.cables_n; i++) {
        struct cable *c = &k.cables[i];
        if (c->kind != CABLE_SOCKET || c->phase != CABLE_IN_BACKLOG || c->listener != fd)
            continue;
        c->phase = CABLE_UP;
        c->is_held = true;
        put_name(&c->there, from, len);
        return fd_of(c);
    }
    return fail(EAGAIN);
}

static size_t least(size_t a, size_t b)
{
    size_t n = a < b ? a : b;
    return k.grain > 0 && n > k.grain ? k.grain : n;
}

ssize_t __wrap_recv(int fd, void *to, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *to, size_t len, int flags)
{
    struct cable *c = cable_of(fd, "recv");
    if (c->is_reset)
        return fail(ECONNRESET);
    if (c->in.len == 0)
        return c->is_ended ? 0 : fail(EAGAIN);
    size_t n = least(len, c->in.len);
    memcpy(to, c->in.at, n);
    if (!(flags & MSG_PEEK))
        buf_consume(&c->in, n);
    return (ssize_t)n;
}

ssize_t __wrap_send(int fd, const void *at, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *at, size_t len, int flags)
{
    struct cable *c = cable_of(fd, "send");
    if (c->is_shut || c->phase != CABLE_UP)
        broken("send", fd);
    if (c->is_reset)
        return fail(EPIPE);
    if (c->room == 0)
        return fail(EAGAIN);
    c->is_reset = c->is_left;
    size_t n = least(len, c->room);
    buf_put(&c->out, at, n);
    c->room -= n;
    return (ssize_t)n;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags)
{
    ssize_t all = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const struct iovec *piece = &message->msg_iov[i];
        ssize_t n = __wrap_send(fd, piece->iov_base, piece->iov_len, flags);
        if (n < 0)
            return all > 0 ? all : n;
        all += n;
        if ((size_t)n < piece->iov_len)
            break;
    }
    return all;
}

int __wrap_shutdown(int fd, int how);
int __wrap_shutdown(int fd, int how)
{
    struct cable *c = cable_of(fd, "shutdown");
    c->is_shut = true;
    return c->is_reset ? fail(ENOTCONN) : 0;
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    if (fd == EPOLL_FD && k.has_epoll) {
        k.has_epoll = false;
        return 0;
    }
    if (!is_ours(fd))
        return __real_close(fd);
    struct cable *c = cable_of(fd, "close");
    c->is_held = c->is_watched = false;
    return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *to, socklen_t *len);
int __wrap_getsockname(int fd, struct sockaddr *to, socklen_t *len)
{
    return put_name(&cable_of(fd, "getsockname")->here, to, len);
}

int __wrap_getpeername(int fd, struct sockaddr *to, socklen_t *len);
int __wrap_getpeername(int fd, struct sockaddr *to, socklen_t *len)
{
    return put_name(&cable_of(fd, "getpeername")->there, to, len);
}

int __wrap_setsockopt(int fd, int level, int option, const void *at, socklen_t len);
int __wrap_setsockopt(int fd, int level, int option, const void *at, socklen_t len)
{
    (void)cable_of(fd, "setsockopt");
    return 0;
}

/* SO_ERROR alone is asked for. */
int __wrap_getsockopt(int fd, int level, int option, void *to, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int option, void *to, socklen_t *len)
{
    const struct cable *c = cable_of(fd, "getsockopt");
    int error = c->phase == CABLE_REFUSED ? ECONNREFUSED : 0;
    memcpy(to, &error, sizeof(error));
    return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...)
{
    const struct cable *c = cable_of(fd, "ioctl");
    va_list args;
    va_start(args, request);
    int *to = va_arg(args, int *);
    va_end(args);
    *to = request == SIOCINQ ? (int)c->in.len : (int)c->out.len;
    return 0;
}
