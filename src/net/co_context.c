/* The first frame of a coroutine, for the machines whose switch is written in assembly. */
#include "net/co_switch.h"

#include <stdint.h>

#ifdef CO_HAS_ASSEMBLY

void co_context_begin(void); /* co_x86_64.S, co_aarch64.S: never called from C */

#if defined(__x86_64__)
/* In the order in which co_context_switch() takes it off the stack. */
struct frame {
    uint32_t mxcsr;
    uint16_t x87_control;
    uint16_t unused;
    uint64_t r15, r14, r13, r12, rbx, rbp;
    uint64_t return_to;
    uint64_t above[2]; /* the stack pointer is a multiple of 16 after the return */
};

static void fill(struct frame *f, uintptr_t entry, uintptr_t arg)
{
    __asm__("stmxcsr %0" : "=m"(f->mxcsr));
    __asm__("fnstcw %0" : "=m"(f->x87_control));
    f->r12 = entry;
    f->r13 = arg;
    f->return_to = (uintptr_t)co_context_begin;
}
_Static_assert(offsetof(struct frame, above) % 16 == 0, "the first call finds an aligned stack");
#else
struct frame {
    uint64_t x19, x20, x21_to_x29[9], x30;
    uint64_t d8_to_d15[8];
    uint64_t fpcr;
    uint64_t unused;
};

static void fill(struct frame *f, uintptr_t entry, uintptr_t arg)
{
    __asm__("mrs %0, fpcr" : "=r"(f->fpcr));
    f->x19 = entry;
    f->x20 = arg;
    f->x30 = (uintptr_t)co_context_begin;
}
_Static_assert(sizeof(struct frame) == 176, "as in co_aarch64.S");
#endif

void co_context_init(struct co_context *c, void *base, size_t bytes, void (*entry)(void *arg),
                     void *arg)
{
    size_t top = bytes - bytes % 16;
    struct frame *f = (struct frame *)(void *)((uint8_t *)base + top - sizeof *f);
    *f = (struct frame){0};
    fill(f, (uintptr_t)entry, (uintptr_t)arg);
    c->sp = f;
}

#endif
