/* Coroutines that business runs on: which one runs now, what it is about, how many there are. */
#ifndef NET_FIBERS_H
#define NET_FIBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/activity.h"
#include "base/compiler.h"
#include "net/co.h"

struct fibers {
    struct co_pool *pool;
    size_t max_n;
    void *event; /* what the coroutine that runs now was started with; NULL for none */
    struct activity *activity; /* where what runs is shown; NULL: nowhere */
};

int fibers_init(struct fibers *f, size_t stack_bytes, size_t max_n) NODISCARD; /* 0 or -errno */
void fibers_fini(struct fibers *f);

bool fibers_has_room(const struct fibers *f);
size_t fibers_alive_n(const struct fibers *f);
/* Runs fn(arg) on a coroutine until it ends or waits. 0 or -ENOMEM (nothing ran). */
int fibers_start(struct fibers *f, void (*fn)(void *arg), void *arg, void *event) NODISCARD;
/* Business code begins on the coroutine that runs now. */
void fibers_show(struct fibers *f, struct activity_note note);
bool fibers_is_inside(const struct fibers *f); /* on a coroutine */
/* The coroutine that runs now, and its waiting until somebody resumes it. */
struct co *fibers_self(const struct fibers *f);
void fibers_wait(struct fibers *f);
/* Continues one that waits; from anywhere. */
void fibers_resume(struct fibers *f, struct co *co);

#endif
