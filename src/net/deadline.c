/* Deadlines of many objects on one timer: four bytes in each object, a heap for those that run. */
#include "net/deadline.h"

#include "base/mem.h"

enum { HEAP_MIN = 64 };

static void arm(struct deadlines *all)
{
    if (all->len == 0) {
        timer_stop(all->loop, &all->timer);
        return;
    }
    uint64_t due_ms = all->heap[0].due_ms;
    uint64_t now_ms = loop_now_ms(all->loop);
    if (all->timer.due_ms != due_ms)
        timer_start(all->loop, &all->timer, due_ms > now_ms ? due_ms - now_ms : 0);
}

static void put(struct deadlines *all, uint32_t pos, struct deadline_entry entry)
{
    all->heap[pos] = entry;
    entry.deadline->place = pos + 1;
}

static void sift_up(struct deadlines *all, uint32_t pos)
{
    struct deadline_entry entry = all->heap[pos];
    while (pos > 0 && all->heap[(pos - 1) / 2].due_ms > entry.due_ms) {
        put(all, pos, all->heap[(pos - 1) / 2]);
        pos = (pos - 1) / 2;
    }
    put(all, pos, entry);
}

static void sift_down(struct deadlines *all, uint32_t pos)
{
    struct deadline_entry entry = all->heap[pos];
    for (;;) {
        uint32_t child = 2 * pos + 1;
        if (child + 1 < all->len && all->heap[child + 1].due_ms < all->heap[child].due_ms)
            child++;
        if (child >= all->len || all->heap[child].due_ms >= entry.due_ms)
            break;
        put(all, pos, all->heap[child]);
        pos = child;
    }
    put(all, pos, entry);
}

static void take_out(struct deadlines *all, struct deadline *d)
{
    uint32_t pos = d->place - 1;
    d->place = 0;
    all->len--;
    if (pos == all->len)
        return;
    put(all, pos, all->heap[all->len]);
    sift_down(all, pos);
    sift_up(all, pos);
}

static void on_timer(struct timer *t)
{
    struct deadlines *all = CONTAINER_OF(t, struct deadlines, timer);
    uint64_t now_ms = loop_now_ms(all->loop);
    while (all->len && all->heap[0].due_ms <= now_ms) {
        struct deadline *d = all->heap[0].deadline;
        take_out(all, d);
        all->on_passed(all, d);
    }
    arm(all);
}

void deadlines_init(struct deadlines *all, struct loop *l,
                    void (*on_passed)(struct deadlines *all, struct deadline *d))
{
    *all = (struct deadlines){.loop = l, .timer.fire = on_timer, .on_passed = on_passed};
}

void deadlines_fini(struct deadlines *all)
{
    timer_stop(all->loop, &all->timer);
    mem_free(all->heap);
    all->heap = NULL;
    all->len = all->cap = 0;
}

void deadline_set(struct deadlines *all, struct deadline *d, uint64_t delay_ms)
{
    if (deadline_is_set(d))
        take_out(all, d);
    if (all->len == all->cap) {
        all->cap = all->cap ? all->cap * 2 : HEAP_MIN;
        all->heap = mem_realloc(all->heap, all->cap * sizeof *all->heap);
    }
    /* At least one tick: a deadline of 0 set again and again must not hold on_timer() for ever. */
    uint64_t due_ms = loop_now_ms(all->loop) + (delay_ms ? delay_ms : 1);
    all->heap[all->len] = (struct deadline_entry){.due_ms = due_ms, .deadline = d};
    sift_up(all, all->len++);
    arm(all);
}

void deadline_clear(struct deadlines *all, struct deadline *d)
{
    if (!deadline_is_set(d))
        return;
    take_out(all, d);
    arm(all);
}
