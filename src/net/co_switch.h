/* Leaving one stack for another: the only part of coroutines that depends on the machine. */
#ifndef NET_CO_SWITCH_H
#define NET_CO_SWITCH_H

#include <stddef.h>

/* CO_UCONTEXT chooses the portable way everywhere, for testing it: make CC="gcc -DCO_UCONTEXT". */
#if (defined(__x86_64__) || defined(__aarch64__)) && !defined(CO_UCONTEXT)
#define CO_HAS_ASSEMBLY 1
#endif

#ifdef CO_HAS_ASSEMBLY
/* The stack pointer of a context that is not running; what must survive lies on its stack. */
struct co_context {
    void *sp;
};
#else
#include <ucontext.h>
struct co_context {
    ucontext_t saved;
};
#endif

/* Prepares `c` so that the first switch to it calls entry(arg) on the stack [base, base + bytes).
 * entry must not return. */
void co_context_init(struct co_context *c, void *base, size_t bytes, void (*entry)(void *arg),
                     void *arg);
/* Saves the running context in `from` and continues `to`. */
void co_context_switch(struct co_context *from, struct co_context *to);

#endif
