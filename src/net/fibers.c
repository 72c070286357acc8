/* The event in hand, and what is shown of it, travel with their coroutine: they are put back
 * whenever that one goes on. */
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

struct in_hand {
    void *event;
    struct activity_note note;
};

static struct in_hand put_aside(const struct fibers *f)
{
    struct in_hand mine = {.event = f->event};
    if (f->activity)
        mine.note = f->activity->note;
    return mine;
}

static void put_back(struct fibers *f, const struct in_hand *mine)
{
    f->event = mine->event;
    if (f->activity)
        activity_show(f->activity, &mine->note);
}

void fibers_show(struct fibers *f, struct activity_note note)
{
    if (f->activity)
        activity_show(f->activity, &note);
}

int fibers_start(struct fibers *f, void (*fn)(void *arg), void *arg, void *event)
{
    struct in_hand before = put_aside(f);

    f->event = event;
    int rc = co_start(f->pool, fn, arg);
    put_back(f, &before);
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
    struct in_hand mine = put_aside(f);

    co_suspend(f->pool);
    put_back(f, &mine);
}

void fibers_resume(struct fibers *f, struct co *co)
{
    struct in_hand mine = put_aside(f);

    co_resume(co);
    put_back(f, &mine);
}
