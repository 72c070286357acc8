/* The event loop: descriptors, timers and end-of-turn work of one process, on epoll. */
#include "net/loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/timer.h"

/* A turn asks at most WAITS_MAX times, so that it ends even if descriptors become readable faster
 * than they are read. */
enum { EVENTS_MAX = 1024, WAITS_MAX = 16 };

struct task_queue {
    struct task *first;
    struct task **end;
};

struct loop {
    int epoll_fd; /* -1 after loop_abandon() */
    bool is_stopping;
    uint64_t now_ms;
    uint64_t busy_since_us;
    struct task_queue after_read;
    struct task_queue at_flush;
    struct task_queue at_end;
    struct task_queue soon;
    int events_n; /* of the wait whose events are being delivered */
    int event_pos;
    struct loop_stats stats;
    struct wheel wheel;
    struct epoll_event events[EVENTS_MAX];
};

static void task_queue_init(struct task_queue *q)
{
    q->first = NULL;
    q->end = &q->first;
}

struct loop *loop_new(void)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct loop *l = mem_zalloc(sizeof *l);
    l->epoll_fd = fd;
    l->busy_since_us = clock_mono_us();
    l->now_ms = l->busy_since_us / 1000;
    task_queue_init(&l->after_read);
    task_queue_init(&l->at_flush);
    task_queue_init(&l->at_end);
    task_queue_init(&l->soon);
    wheel_init(&l->wheel, l->now_ms);
    return l;
}

uint64_t loop_now_ms(const struct loop *l)
{
    return l->now_ms;
}

/* --- watches --- */

static uint32_t to_epoll(const struct watch *w, unsigned events)
{
    if (w->reads_all && events == LOOP_READ)
        return (uint32_t)EPOLLIN | (uint32_t)EPOLLRDHUP | (uint32_t)EPOLLET;
    return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) |
           (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
}

static unsigned from_epoll(uint32_t events)
{
    return (events & (uint32_t)EPOLLIN ? LOOP_READ : 0U) |
           (events & (uint32_t)EPOLLOUT ? LOOP_WRITE : 0U) |
           (events & (uint32_t)(EPOLLHUP | EPOLLERR) ? LOOP_HANGUP : 0U) |
           (events & (uint32_t)EPOLLRDHUP ? LOOP_END : 0U);
}

static int control(struct loop *l, int operation, struct watch *w, unsigned events)
{
    struct epoll_event event = {.events = to_epoll(w, events), .data.ptr = w};
    return epoll_ctl(l->epoll_fd, operation, w->fd, &event) < 0 ? -errno : 0;
}

/* A watch that was stopped and is started again in one turn, perhaps with another descriptor: what
 * is still undelivered belongs to the old one. */
static void forget_undelivered(struct loop *l, const struct watch *w)
{
    for (int i = l->event_pos; i < l->events_n; i++)
        if (l->events[i].data.ptr == w)
            l->events[i].data.ptr = NULL;
}

int watch_start(struct loop *l, struct watch *w, unsigned events)
{
    int rc = control(l, EPOLL_CTL_ADD, w, events);
    if (rc < 0)
        return rc;
    if (w->was_stopped)
        forget_undelivered(l, w);
    w->was_stopped = false;
    w->is_started = true;
    w->armed = (uint8_t)events;
    return 0;
}

void watch_change(struct loop *l, struct watch *w, unsigned events)
{
    if (!w->is_started || w->armed == events)
        return;
    int rc = control(l, EPOLL_CTL_MOD, w, events);
    if (rc < 0)
        log_fatal("watch_change: descriptor %d: %s", w->fd, strerror(-rc));
    w->armed = (uint8_t)events;
}

void watch_forget(struct watch *w)
{
    w->was_stopped = w->was_stopped || w->is_started;
    w->is_started = false;
    w->armed = 0;
}

void watch_stop(struct loop *l, struct watch *w)
{
    if (!w->is_started)
        return;
    watch_forget(w);
    /* After loop_abandon() the kernel's set belongs to the parent process alone. */
    if (l->epoll_fd < 0)
        return;
    int rc = control(l, EPOLL_CTL_DEL, w, 0);
    if (rc < 0)
        log_fatal("watch_stop: descriptor %d was closed before: %s", w->fd, strerror(-rc));
}

/* --- timers --- */

void timer_start(struct loop *l, struct timer *t, uint64_t delay_ms)
{
    uint64_t due_ms = delay_ms > UINT64_MAX - l->now_ms ? UINT64_MAX : l->now_ms + delay_ms;
    wheel_start(&l->wheel, t, due_ms);
}

void timer_stop(struct loop *l, struct timer *t)
{
    wheel_stop(&l->wheel, t);
}

size_t loop_timers_n(const struct loop *l)
{
    return l->wheel.timers_n;
}

/* --- tasks --- */

static void enqueue(struct task_queue *q, struct task *t)
{
    if (t->is_queued)
        return;
    t->is_queued = true;
    t->next = NULL;
    *q->end = t;
    q->end = &t->next;
}

static struct task *dequeue(struct task_queue *q)
{
    struct task *t = q->first;
    if (!t)
        return NULL;
    q->first = t->next;
    if (!q->first)
        q->end = &q->first;
    t->next = NULL;
    t->is_queued = false;
    return t;
}

static bool remove_from(struct task_queue *q, struct task *t)
{
    for (struct task **at = &q->first; *at; at = &(*at)->next) {
        if (*at != t)
            continue;
        *at = t->next;
        if (!*at)
            q->end = at;
        t->next = NULL;
        t->is_queued = false;
        return true;
    }
    return false;
}

void loop_after_read(struct loop *l, struct task *t)
{
    enqueue(&l->after_read, t);
}

void loop_at_flush(struct loop *l, struct task *t)
{
    enqueue(&l->at_flush, t);
}

void loop_at_end(struct loop *l, struct task *t)
{
    enqueue(&l->at_end, t);
}

void loop_soon(struct loop *l, struct task *t)
{
    enqueue(&l->soon, t);
}

void task_cancel(struct loop *l, struct task *t)
{
    if (t->is_queued && !remove_from(&l->after_read, t) && !remove_from(&l->at_flush, t) &&
        !remove_from(&l->at_end, t) && !remove_from(&l->soon, t))
        log_fatal("task_cancel: the task is queued in another loop");
}

/* Runs what is queued and what that queues. */
static void run_all(struct task_queue *q)
{
    struct task *t;
    while ((t = dequeue(q)))
        t->run(t);
}

/* Runs what was queued before the call. The mark is a task of our own behind the last one, because
 * the last one itself may be cancelled meanwhile. */
static void run_queued(struct task_queue *q)
{
    struct task mark = {0};
    enqueue(q, &mark);
    struct task *t;
    while ((t = dequeue(q)) != &mark)
        t->run(t);
}

void loop_abandon(struct loop *l)
{
    if (l->epoll_fd >= 0)
        close(l->epoll_fd);
    l->epoll_fd = -1;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    run_all(&l->at_end); /* objects that were stopped after the last turn */
    loop_abandon(l);
    mem_free(l);
}

/* --- the turn --- */

static int wait_ms(const struct loop *l, int max_wait_ms)
{
    if (l->after_read.first || l->at_flush.first || l->at_end.first || l->soon.first)
        return 0;
    uint64_t next_ms = wheel_next_ms(&l->wheel);
    if (next_ms == UINT64_MAX)
        return max_wait_ms;
    uint64_t now_ms = clock_mono_ms();
    uint64_t wait = next_ms > now_ms ? next_ms - now_ms : 0;
    if (max_wait_ms >= 0 && wait > (uint64_t)max_wait_ms)
        return max_wait_ms;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

/* Returns the number of events or -errno; a signal counts as no event. */
static int wait_for_events(struct loop *l, int timeout_ms)
{
    l->event_pos = 0;
    l->events_n = 0;
    int n = epoll_wait(l->epoll_fd, l->events, EVENTS_MAX, timeout_ms);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    l->events_n = n;
    l->stats.events_n += (uint64_t)n;
    return n;
}

static void deliver(struct loop *l)
{
    while (l->event_pos < l->events_n) {
        const struct epoll_event *event = &l->events[l->event_pos++];
        struct watch *w = event->data.ptr;
        if (!w || !w->is_started)
            continue;
        /* An earlier callback of this turn may have changed what the owner wants to hear. */
        unsigned ready =
            from_epoll(event->events) & (w->armed | (unsigned)(LOOP_HANGUP | LOOP_END));
        if (ready)
            w->on_ready(w, ready);
    }
    l->events_n = 0;
}

int loop_turn(struct loop *l, int max_wait_ms)
{
    int timeout_ms = wait_ms(l, max_wait_ms);
    l->stats.busy_us += clock_mono_us() - l->busy_since_us;
    int n = wait_for_events(l, timeout_ms);
    l->busy_since_us = clock_mono_us();
    if (n < 0)
        return n;
    l->now_ms = l->busy_since_us / 1000;
    l->stats.turns_n++;
    run_queued(&l->soon);
    wheel_fire(&l->wheel, l->now_ms);
    deliver(l);
    for (int waits_n = 1; n == EVENTS_MAX && waits_n < WAITS_MAX; waits_n++) {
        n = wait_for_events(l, 0);
        if (n < 0)
            return n;
        deliver(l);
    }
    run_all(&l->after_read);
    run_all(&l->at_flush);
    run_all(&l->at_end);
    return 0;
}

int loop_run(struct loop *l)
{
    int rc = 0;
    while (rc == 0 && !l->is_stopping)
        rc = loop_turn(l, -1);
    /* Reset here and not above: a stop that came before the first turn counts too. */
    l->is_stopping = false;
    return rc;
}

void loop_stop(struct loop *l)
{
    l->is_stopping = true;
}

void loop_stats(const struct loop *l, struct loop_stats *out)
{
    *out = l->stats;
    out->busy_us += clock_mono_us() - l->busy_since_us;
}
