/* Tells AddressSanitizer about stacks that change; nothing without it. */
#ifndef NET_CO_SANITIZER_H
#define NET_CO_SANITIZER_H

#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define CO_HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CO_HAS_ASAN 1
#endif
#endif

#ifdef CO_HAS_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>

struct co_fiber {
    void *fake_stack; /* where ASan keeps locals while the fiber does not run */
    const void *base;
    size_t bytes;
};

static inline void co_fiber_init(struct co_fiber *f, const void *base, size_t bytes)
{
    *f = (struct co_fiber){.base = base, .bytes = bytes};
}

/* Before the switch. from == NULL: the running fiber ends and its fake stack goes. */
static inline void co_fiber_leave(struct co_fiber *from, const struct co_fiber *to)
{
    __sanitizer_start_switch_fiber(from ? &from->fake_stack : NULL, to->base, to->bytes);
}

/* After the switch back to f. */
static inline void co_fiber_enter(struct co_fiber *f)
{
    __sanitizer_finish_switch_fiber(f->fake_stack, NULL, NULL);
}

/* First thing on a new stack. The fiber that we came from learns its bounds, which for the
 * process's own stack nobody else knows. */
static inline void co_fiber_begin(struct co_fiber *f, struct co_fiber *came_from)
{
    __sanitizer_finish_switch_fiber(f->fake_stack, &came_from->base, &came_from->bytes);
}

/* What only a suspended coroutine knows is not leaked: a process may end while callbacks wait. */
static inline void co_fiber_keep_stack(const void *base, size_t bytes)
{
    __lsan_register_root_region(base, bytes);
}

/* A finished coroutine leaves poisoned frames behind, and pointers that no longer count. */
static inline void co_fiber_forget_stack(void *base, size_t bytes)
{
    __lsan_unregister_root_region(base, bytes);
    __asan_unpoison_memory_region(base, bytes);
}
#else
struct co_fiber {
    char unused;
};

static inline void co_fiber_init(struct co_fiber *f, const void *base, size_t bytes)
{
}

static inline void co_fiber_leave(struct co_fiber *from, const struct co_fiber *to)
{
}

static inline void co_fiber_enter(struct co_fiber *f)
{
}

static inline void co_fiber_begin(struct co_fiber *f, struct co_fiber *came_from)
{
}

static inline void co_fiber_keep_stack(const void *base, size_t bytes)
{
}

static inline void co_fiber_forget_stack(void *base, size_t bytes)
{
}
#endif

#endif
