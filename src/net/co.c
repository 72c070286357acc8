/* Coroutines: business callbacks that may wait, each on a pooled stack with a guard page. */
#include "net/co.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/co_sanitizer.h"
#include "net/co_switch.h"

/* One mapping per coroutine: guard page below, stack, and this struct at the top.
 *
 *   low  | guard page | stack … grows down | struct co |  high
 */
struct co {
    struct co_context context;
    struct co_fiber fiber;
    struct co_pool *pool;
    struct co *next_idle;
    struct co *returns_to; /* who started or resumed it; NULL: the process's own stack */
    void (*fn)(void *arg);
    void *arg;
    bool is_over;
    bool is_suspended;
};

struct co_pool {
    size_t map_bytes; /* guard page included */
    size_t page_bytes;
    size_t idle_max_n;
    size_t idle_n;
    size_t alive_n;
    struct co *idle; /* last in, first out: its pages are in the cache */
    struct co *current;
    struct co_context own; /* of the process's own stack, while a coroutine runs */
    struct co_fiber own_fiber;
};

struct co_pool *co_pool_new(size_t stack_bytes, size_t idle_max_n)
{
    struct co_pool *p = mem_zalloc(sizeof *p);
    p->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    p->map_bytes =
        (stack_bytes + p->page_bytes - 1) / p->page_bytes * p->page_bytes + p->page_bytes;
    p->idle_max_n = idle_max_n;
    return p;
}

static uint8_t *map_of(const struct co *c)
{
    return (uint8_t *)(uintptr_t)(c + 1) - c->pool->map_bytes;
}

static void *stack_base(const struct co *c)
{
    return map_of(c) + c->pool->page_bytes;
}

static size_t stack_bytes(const struct co *c)
{
    return c->pool->map_bytes - c->pool->page_bytes - sizeof *c;
}

static struct co *map_new(struct co_pool *p)
{
    uint8_t *map = mmap(NULL, p->map_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (map == MAP_FAILED)
        return NULL;
    if (mprotect(map, p->page_bytes, PROT_NONE) < 0) {
        munmap(map, p->map_bytes);
        return NULL;
    }
    struct co *c = (struct co *)(void *)(map + p->map_bytes - sizeof *c);
    c->pool = p;
    return c;
}

static void unmap(struct co *c)
{
    munmap(map_of(c), c->pool->map_bytes);
}

void co_pool_free(struct co_pool *p)
{
    if (!p)
        return;
    if (p->alive_n)
        log_fatal("co_pool_free: %zu coroutines are alive", p->alive_n);
    while (p->idle) {
        struct co *c = p->idle;
        p->idle = c->next_idle;
        unmap(c);
    }
    mem_free(p);
}

size_t co_pool_alive_n(const struct co_pool *p)
{
    return p->alive_n;
}

struct co *co_current(const struct co_pool *p)
{
    return p->current;
}

static struct co *take(struct co_pool *p)
{
    struct co *c = p->idle;
    if (!c)
        return map_new(p);
    p->idle = c->next_idle;
    p->idle_n--;
    return c;
}

static void give(struct co_pool *p, struct co *c)
{
    co_fiber_forget_stack(stack_base(c), stack_bytes(c));
    if (p->idle_n >= p->idle_max_n) {
        unmap(c);
        return;
    }
    c->next_idle = p->idle;
    p->idle = c;
    p->idle_n++;
}

static struct co_context *context_of(struct co_pool *p, struct co *c)
{
    return c ? &c->context : &p->own;
}

static struct co_fiber *fiber_of(struct co_pool *p, struct co *c)
{
    return c ? &c->fiber : &p->own_fiber;
}

/* Leaves the running context, which ends for good when is_last. */
static void switch_to(struct co_pool *p, struct co *to, bool is_last)
{
    struct co *from = p->current;
    struct co_fiber *fiber = fiber_of(p, from);
    p->current = to;
    co_fiber_leave(is_last ? NULL : fiber, fiber_of(p, to));
    co_context_switch(context_of(p, from), context_of(p, to));
    co_fiber_enter(fiber);
}

static void entry(void *arg)
{
    struct co *c = arg;
    co_fiber_begin(&c->fiber, fiber_of(c->pool, c->returns_to));
    c->fn(c->arg);
    c->is_over = true;
    switch_to(c->pool, c->returns_to, true);
}

static void run(struct co *c)
{
    struct co_pool *p = c->pool;
    c->returns_to = p->current;
    switch_to(p, c, false);
    if (!c->is_over)
        return;
    p->alive_n--;
    give(p, c);
}

int co_start(struct co_pool *p, void (*fn)(void *arg), void *arg)
{
    struct co *c = take(p);
    if (!c)
        return -ENOMEM;
    c->fn = fn;
    c->arg = arg;
    c->is_over = false;
    c->is_suspended = false;
    co_fiber_init(&c->fiber, stack_base(c), stack_bytes(c));
    co_fiber_keep_stack(stack_base(c), stack_bytes(c));
    co_context_init(&c->context, stack_base(c), stack_bytes(c), entry, c);
    p->alive_n++;
    run(c);
    return 0;
}

void co_suspend(struct co_pool *p)
{
    struct co *c = p->current;
    if (!c)
        log_fatal("co_suspend: not on a coroutine");
    c->is_suspended = true;
    switch_to(p, c->returns_to, false);
}

void co_resume(struct co *c)
{
    if (!c->is_suspended)
        log_fatal("co_resume: the coroutine is not suspended");
    c->is_suspended = false;
    run(c);
}
