/* A timer that runs is not freed under its function: stopping it then only marks it. */
#include "module/timers.h"

#include "base/log.h"
#include "base/mem.h"

struct gw_timer {
    struct list node;
    struct timers *owner;
    struct timer timer;
    uint64_t delay_ms;
    void (*fn)(struct gw *gw, void *arg);
    void *arg;
    bool is_repeating;
    bool is_running;
    bool is_stopped;
};

static void forget(struct gw_timer *t)
{
    timer_stop(t->owner->loop, &t->timer);
    list_remove(&t->node);
    t->owner->n--;
    mem_free(t);
}

static void run(void *arg)
{
    struct gw_timer *t = arg;

    t->is_running = true;
    fibers_show(t->owner->fibers, (struct activity_note){.kind = ACTIVITY_TIMER});
    t->fn(t->owner->gw, t->arg);
    t->is_running = false;
    if (t->is_stopped || !t->is_repeating || t->owner->is_stopped)
        forget(t);
    else
        timer_start(t->owner->loop, &t->timer, t->delay_ms);
}

static void fire(struct timer *timer)
{
    struct gw_timer *t = CONTAINER_OF(timer, struct gw_timer, timer);

    if (fibers_start(t->owner->fibers, run, t, NULL) == 0)
        return;
    log_error("no memory for the coroutine of a timer: it is tried again");
    timer_start(t->owner->loop, &t->timer, t->delay_ms > 0 ? t->delay_ms : 1);
}

void timers_init(struct timers *t, struct loop *l, struct fibers *f, struct gw *gw)
{
    *t = (struct timers){.loop = l, .fibers = f, .gw = gw};
    list_init(&t->all);
}

struct gw_timer *timers_start(struct timers *owner, uint64_t delay_ms, bool is_repeating,
                              void (*fn)(struct gw *gw, void *arg), void *arg)
{
    if (!fn || owner->is_stopped)
        return NULL;
    struct gw_timer *t = mem_zalloc(sizeof *t);
    t->owner = owner;
    t->timer.fire = fire;
    t->delay_ms = is_repeating && delay_ms == 0 ? 1 : delay_ms;
    t->is_repeating = is_repeating;
    t->fn = fn;
    t->arg = arg;
    list_append(&owner->all, &t->node);
    owner->n++;
    timer_start(owner->loop, &t->timer, t->delay_ms);
    return t;
}

void timers_stop(struct timers *owner, struct gw_timer *t)
{
    t->is_stopped = true;
    if (!t->is_running)
        forget(t);
}

void timers_stop_all(struct timers *t)
{
    struct list *node = t->all.next;

    t->is_stopped = true;
    while (node != &t->all) {
        struct gw_timer *timer = CONTAINER_OF(node, struct gw_timer, node);
        node = node->next;
        if (!timer->is_running)
            forget(timer);
    }
}
