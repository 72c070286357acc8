/* Accepts connections from a listening descriptor, in bounded portions per turn. */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

enum { ACCEPTS_PER_TURN = 512, PAUSE_MS = 100, PACES_PER_SECOND = 10 };

struct listener {
    struct watch watch;
    struct loop *loop;
    listener_accept_fn *on_accept;
    void *owner;
    struct listener_pace *pace;
    struct timer retry;     /* runs while we wait for descriptors, memory or the pace */
    struct task free_later; /* the event being delivered may be ours */
    struct log_rate limit_log, pace_log;
    int spare_fd; /* given up to accept and close a connection when there is no other; or -1 */
    bool is_paused;
    bool is_stopped;
};

static void watch_if_wanted(struct listener *s)
{
    bool is_wanted = !s->is_paused && !s->is_stopped && !timer_is_running(&s->retry);
    watch_change(s->loop, &s->watch, is_wanted ? LOOP_READ : 0);
}

static void on_retry(struct timer *t)
{
    watch_if_wanted(CONTAINER_OF(t, struct listener, retry));
}

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int accept_one(int fd, struct addr *peer)
{
    struct sockaddr_storage sa = {.ss_family = AF_UNIX};
    socklen_t len = sizeof sa;
    int client_fd = accept4(fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client_fd < 0)
        return -errno;
    addr_from_sockaddr((struct sockaddr *)&sa, peer);
    return client_fd;
}

/* One waiting client is told at once that there is no room, by a close; the others wait in the
 * kernel's backlog until descriptors are free again. */
static void turn_one_away(struct listener *s)
{
    if (s->spare_fd < 0)
        return;
    close(s->spare_fd);
    struct addr peer;
    int fd = accept_one(s->watch.fd, &peer);
    if (fd >= 0)
        close(fd);
    s->spare_fd = open_spare();
}

static const char *advice(int rc)
{
    switch (rc) {
    case -EMFILE:
        return "; raise ulimit -n (LimitNOFILE in systemd)";
    case -ENFILE:
        return "; all processes of the system have too many open: raise fs.file-max";
    default:
        return "";
    }
}

static void wait_a_little(struct listener *s, int rc)
{
    log_limited(&s->limit_log, LOG_ERROR, "cannot accept connections: %s%s", strerror(-rc),
                advice(rc));
    if (rc == -EMFILE)
        turn_one_away(s);
    timer_start(s->loop, &s->retry, PAUSE_MS);
    watch_if_wanted(s);
}

/* ---- the pace ---- */

struct listener_pace listener_pace_of(int64_t per_second, const char *key)
{
    return (struct listener_pace){.key = key,
                                  .per_second = per_second,
                                  .rate = rate_of(per_second, per_second / PACES_PER_SECOND)};
}

/* Nobody is refused: whoever waits in the kernel is taken when there is a token again. */
static bool is_too_early(struct listener *s)
{
    struct listener_pace *p = s->pace;
    if (!p || p->rate.token_time == 0)
        return false;
    uint64_t ms = rate_wait_ms(&p->rate, p->full_at, loop_now_ms(s->loop));
    if (ms == 0)
        return false;
    p->waits_n++;
    log_limited(&s->pace_log, LOG_INFO,
                "more than %" PRId64 " connections come in a second (%s): they wait for their turn",
                p->per_second, p->key);
    timer_start(s->loop, &s->retry, ms);
    watch_if_wanted(s);
    return true;
}

static void take_token(struct listener *s)
{
    if (s->pace && s->pace->rate.token_time > 0)
        (void)!rate_take(&s->pace->rate, &s->pace->full_at, loop_now_ms(s->loop));
}

/* ---- accepting ---- */

/* Trying again at once would fail again: no resources, or fd is no listening socket (any more). */
static bool is_lasting(int rc)
{
    return rc == -EMFILE || rc == -ENFILE || rc == -ENOBUFS || rc == -ENOMEM || rc == -EINVAL ||
           rc == -EBADF || rc == -ENOTSOCK;
}

/* Asked before accept4() is called again, since Linux makes a descriptor and an inode before it
 * looks whether anybody waits: a call in vain costs 3.5 us, this one 0.2. */
static bool does_another_wait(int fd)
{
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    return poll(&asked, 1, 0) > 0;
}

static void on_ready(struct watch *w, unsigned ready)
{
    struct listener *s = CONTAINER_OF(w, struct listener, watch);
    for (int i = 0; i < ACCEPTS_PER_TURN && !s->is_paused && !s->is_stopped; i++) {
        struct addr peer;
        if (is_too_early(s))
            return;
        int fd = accept_one(w->fd, &peer);
        if (fd >= 0) {
            take_token(s);
            s->on_accept(s->owner, fd, &peer);
            if (!does_another_wait(w->fd))
                return;
        } else if (fd == -EAGAIN) {
            return;
        } else if (is_lasting(fd)) {
            wait_a_little(s, fd);
            return;
        }
        /* Everything else is a fault of that one connection, gone before it was accepted. */
    }
}

static void free_now(struct task *t)
{
    struct listener *s = CONTAINER_OF(t, struct listener, free_later);
    if (s->spare_fd >= 0)
        close(s->spare_fd);
    mem_free(s);
}

struct listener *listener_start(struct loop *l, int fd, listener_accept_fn *on_accept, void *owner)
{
    struct listener *s = mem_zalloc(sizeof *s);
    *s = (struct listener){
        .watch = {.fd = fd, .on_ready = on_ready},
        .loop = l,
        .on_accept = on_accept,
        .owner = owner,
        .retry.fire = on_retry,
        .free_later.run = free_now,
        .spare_fd = open_spare(),
    };
    int rc = watch_start(l, &s->watch, LOOP_READ);
    if (rc == 0)
        return s;
    free_now(&s->free_later);
    errno = -rc;
    return NULL;
}

void listener_keep_pace(struct listener *s, struct listener_pace *pace)
{
    s->pace = pace;
}

void listener_pause(struct listener *s)
{
    s->is_paused = true;
    watch_if_wanted(s);
}

void listener_resume(struct listener *s)
{
    s->is_paused = false;
    watch_if_wanted(s);
}

void listener_abandon(struct listener *s)
{
    if (s && s->spare_fd >= 0)
        close(s->spare_fd);
}

void listener_stop(struct listener *s)
{
    if (!s || s->is_stopped)
        return;
    s->is_stopped = true;
    timer_stop(s->loop, &s->retry);
    watch_stop(s->loop, &s->watch);
    loop_at_end(s->loop, &s->free_later);
}
