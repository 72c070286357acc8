/* What a coroutine costs: from start to return, and to suspend and resume. */
#include <stdbool.h>
#include <stdlib.h>

#include "bench/micro/micro.h"
#include "net/co.h"

static struct co_pool *pool;
static struct co *waiting;

static void nothing(void *arg)
{
    ++*(size_t *)arg;
}

static void start(void *arg, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (co_start(pool, nothing, arg) < 0)
            abort();
}

static void suspend_forever(void *arg)
{
    bool *is_over = arg;
    while (!*is_over) {
        waiting = co_current(pool);
        co_suspend(pool);
    }
}

static void switch_there_and_back(void *arg, size_t n)
{
    for (size_t i = 0; i < n; i++)
        co_resume(waiting);
}

int main(void)
{
    size_t runs_n = 0;
    bool is_over = false;
    pool = co_pool_new(256 * 1024, 64);
    if (!pool)
        return 1;
    micro_time("coroutine start and return", 0, start, &runs_n);
    if (co_start(pool, suspend_forever, &is_over) < 0)
        return 1;
    micro_time("coroutine resume and suspend (two switches)", 0, switch_there_and_back, NULL);
    is_over = true;
    co_resume(waiting);
    co_pool_free(pool);
}
