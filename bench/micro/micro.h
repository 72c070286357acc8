/* Times small pieces of work: nanoseconds per operation, the best of several runs. */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include <stddef.h>
#include <stdint.h>

/* Calls work(arg, n), which does n operations, with n grown until a run takes 20 ms; prints name
 * and ns per operation of the best of five runs, and GB/s when bytes (per operation) is not 0. */
void micro_time(const char *name, size_t bytes, void (*work)(void *arg, size_t n), void *arg);

/* For work that can be done once only: prints what `n` operations cost between two clocks. */
uint64_t micro_now_ns(void);
void micro_tell(const char *name, size_t n, uint64_t begin_ns, uint64_t end_ns);

/* Makes the compiler believe that the value is used. */
static inline void micro_keep(uint64_t value)
{
    __asm__ volatile("" : : "r"(value) : "memory");
}

#endif
