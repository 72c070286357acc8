/* The event in hand travels with its coroutine: it is put back whenever that one goes on. */
#include "net/fibers.h"

#include <errno.h>

enum { IDLE_STACKS_MAX = 256 };

int fibers_init(struct fibers *f, size_t stack_bytes, size_t max_n)
{
    *f = (struct fibers){.max_n = max_n};
    f->pool = co_pool_new(stack_bytes, max_n < IDLE_STACKS_MAX ? max_n : IDLE_STACKS_MAX);
    return f->pool ? 0 : -ENOMEM;
}

void fibers_fini(struct fibers *f)
{
    if (f->pool)
        co_pool_free(f->pool);
    f->pool = NULL;
}

size_t fibers_alive_n(const struct fibers *f)
{
    return co_pool_alive_n(f->pool);
}

bool fibers_has_room(const struct fibers *f)
{
    return fibers_alive_n(f) < f->max_n;
}

int fibers_start(struct fibers *f, void (*fn)(void *arg), void *arg, void *event)
{
    void *before = f->event;

    f->event = event;
    int rc = co_start(f->pool, fn, arg);
    f->event = before;
    return rc;
}

bool fibers_is_inside(const struct fibers *f)
{
    return co_current(f->pool) != NULL;
}

struct co *fibers_self(const struct fibers *f)
{
    return co_current(f->pool);
}

void fibers_wait(struct fibers *f)
{
    void *mine = f->event;

    co_suspend(f->pool);
    f->event = mine;
}

void fibers_resume(struct fibers *f, struct co *co)
{
    void *mine = f->event;

    co_resume(co);
    f->event = mine;
}
