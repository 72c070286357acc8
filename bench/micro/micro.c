/* Times small pieces of work. */
#include "bench/micro/micro.h"

#include <stdio.h>
#include <time.h>

enum { RUNS = 5, RUN_NS = 20 * 1000 * 1000 };

uint64_t micro_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t time_once(void (*work)(void *arg, size_t n), void *arg, size_t n)
{
    uint64_t begin = micro_now_ns();
    work(arg, n);
    return micro_now_ns() - begin;
}

void micro_time(const char *name, size_t bytes, void (*work)(void *arg, size_t n), void *arg)
{
    size_t n = 16;
    while (time_once(work, arg, n) < RUN_NS)
        n *= 2;
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < RUNS; i++) {
        uint64_t ns = time_once(work, arg, n);
        best = ns < best ? ns : best;
    }
    double per_op = (double)best / (double)n;
    printf("%-52s %10.1f ns", name, per_op);
    if (bytes > 0)
        printf(" %8.2f GB/s", (double)bytes / per_op);
    putchar('\n');
}

void micro_tell(const char *name, size_t n, uint64_t begin_ns, uint64_t end_ns)
{
    printf("%-52s %10.1f ns\n", name, (double)(end_ns - begin_ns) / (double)n);
}
