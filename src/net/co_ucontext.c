/* Switching stacks by ucontext, on machines without assembly of ours: slower, saves signal masks.
 */
#include "net/co_switch.h"

#include <stdint.h>

#include "base/log.h"

#ifndef CO_HAS_ASSEMBLY

/* makecontext() passes ints only: pointers travel in two halves. */
static void begin(unsigned entry_high, unsigned entry_low, unsigned arg_high, unsigned arg_low)
{
    uintptr_t entry = (uintptr_t)((uint64_t)entry_high << 32 | entry_low);
    uintptr_t arg = (uintptr_t)((uint64_t)arg_high << 32 | arg_low);
    ((void (*)(void *))entry)((void *)arg);
}

void co_context_init(struct co_context *c, void *base, size_t bytes, void (*entry)(void *arg),
                     void *arg)
{
    if (getcontext(&c->saved) < 0)
        log_fatal("getcontext failed");
    c->saved.uc_stack.ss_sp = base;
    c->saved.uc_stack.ss_size = bytes;
    c->saved.uc_link = NULL;
    uint64_t e = (uintptr_t)entry;
    uint64_t a = (uintptr_t)arg;
    makecontext(&c->saved, (void (*)(void))begin, 4, (unsigned)(e >> 32), (unsigned)e,
                (unsigned)(a >> 32), (unsigned)a);
}

void co_context_switch(struct co_context *from, struct co_context *to)
{
    if (swapcontext(&from->saved, &to->saved) < 0)
        log_fatal("swapcontext failed");
}

#endif
