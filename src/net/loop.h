/* The event loop: descriptors, timers and end-of-turn work of one process, on epoll. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* A turn is the loop's unit of work (docs/architecture.md):
 *   1. wait for events, not at all while work is pending
 *   2. fire due timers
 *   3. read everything readable: all ready watches; while a wait came back full, ask again
 * (bounded); then tasks queued with loop_after_read(), for what was accepted meanwhile
 *   4. tasks queued with loop_at_flush(): output gathered in steps 2 and 3 leaves in one write per
 *      connection; tasks queued meanwhile run in the same turn
 *   5. tasks queued with loop_at_end(): objects closed during the turn are freed
 * Callbacks never run from inside the call that arms them. */
struct loop;

/* LOOP_HANGUP and LOOP_END are reported only, with or without asking. LOOP_END: the peer's last
 * byte is here; told with LOOP_READ to who reads_all. */
enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4, LOOP_END = 8 };

/* Embedded in its owner. Stop it before the descriptor is closed; free the owner in loop_at_end()
 * only, because an event of the same turn may still name it. */
struct watch {
    int fd;
    uint8_t armed; /* LOOP_READ | LOOP_WRITE; read only */
    /* Set before the start by who always reads until the kernel has no more: while it waits for
     * LOOP_READ alone, it is told only when more has come since, and after each watch_change(). For
     * the others the kernel looks at each descriptor a second time, in case something is left. */
    bool reads_all;
    bool is_started;  /* private */
    bool was_stopped; /* private */
    void (*on_ready)(struct watch *w, unsigned ready);
};

/* Embedded; zero-initialise, set fire. Running at most once per start. */
struct timer {
    struct timer *next; /* private */
    struct timer **link;
    uint64_t due_ms; /* loop time; 0 when not running */
    void (*fire)(struct timer *t);
};

struct task {
    struct task *next; /* private */
    bool is_queued;
    void (*run)(struct task *t);
};

struct loop *loop_new(void) NODISCARD; /* NULL: no epoll descriptor left; errno tells */
void loop_free(struct loop *l);        /* everything must be stopped; runs loop_at_end() tasks */
int loop_run(struct loop *l);          /* until loop_stop(); 0 or -errno */
void loop_stop(struct loop *l);        /* the current turn is finished first */
/* One turn, waiting at most max_wait_ms (-1: until something happens). For tests and outside
 * programs. */
int loop_turn(struct loop *l, int max_wait_ms);
uint64_t loop_now_ms(const struct loop *l); /* monotonic, as of the turn's begin */
/* In a child after fork(): closes the inherited epoll descriptor without touching what it watches.
 */
void loop_abandon(struct loop *l);

/* 0 or -errno. on_ready and fd must be set. */
int watch_start(struct loop *l, struct watch *w, unsigned events) NODISCARD;
void watch_change(struct loop *l, struct watch *w, unsigned events);
void watch_stop(struct loop *l, struct watch *w); /* twice is fine */
/* The same without a system call, for a descriptor that is closed in this turn, before its owner is
 * freed: the kernel forgets it then, unless a child process holds it open. */
void watch_forget(struct watch *w);

/* (Re)starts; delay 0 fires in the next turn. O(1); 1,000,000 running timers are fine: a
 * hierarchical wheel of 1 ms ticks. A timer may restart or stop itself or others while it fires. */
void timer_start(struct loop *l, struct timer *t, uint64_t delay_ms);
void timer_stop(struct loop *l, struct timer *t); /* twice is fine */
static inline bool timer_is_running(const struct timer *t)
{
    return t->due_ms != 0;
}
size_t loop_timers_n(const struct loop *l);

/* Queueing a task that is queued already does nothing. */
void loop_after_read(struct loop *l, struct task *t);
void loop_at_flush(struct loop *l, struct task *t);
void loop_at_end(struct loop *l, struct task *t);
void loop_soon(struct loop *l,
               struct task *t); /* in step 2 of the next turn, which does not wait */
void task_cancel(struct loop *l, struct task *t); /* O(queued tasks) */

struct loop_stats {
    uint64_t turns_n;
    uint64_t events_n;
    uint64_t busy_us; /* time not spent waiting */
};
void loop_stats(const struct loop *l, struct loop_stats *out);

#endif
