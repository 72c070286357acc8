/* Coroutines: business callbacks that may wait, each on a pooled stack with a guard page. */
#ifndef NET_CO_H
#define NET_CO_H

#include <stddef.h>

#include "base/compiler.h"

/* x86-64 and aarch64 switch in assembly, other machines by ucontext. One thread only. Stacks are
 * mapped lazily, reused last-in first-out, and known to the sanitizers. */
struct co;
struct co_pool;

struct co_pool *co_pool_new(size_t stack_bytes, size_t idle_max_n) NODISCARD;
void co_pool_free(struct co_pool *p); /* no coroutine may be alive */
size_t co_pool_alive_n(const struct co_pool *p);

/* Runs fn(arg) until it returns or suspends, then returns. May be called on a coroutine too.
 * 0 or -ENOMEM (nothing ran). */
int co_start(struct co_pool *p, void (*fn)(void *arg), void *arg) NODISCARD;
/* The coroutine that runs now, NULL on the process's own stack. */
struct co *co_current(const struct co_pool *p);
/* Leaves the current coroutine until co_resume(). */
void co_suspend(struct co_pool *p);
/* Continues a suspended one until it returns or suspends again. */
void co_resume(struct co *c);

#endif
