/* Heap memory: aborting and fallible allocation, counted for the tests. */
#include "base/mem.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* Atomic because stores, the resolver and NATS have threads of their own; relaxed because nothing
 * is ordered by it. */
static atomic_uint_fast64_t allocs_n;

static void *counted(void *at)
{
    if (at)
        atomic_fetch_add_explicit(&allocs_n, 1, memory_order_relaxed);
    return at;
}

static void *or_abort(void *at, size_t size)
{
    if (!at)
        log_fatal("out of memory: %zu bytes were refused", size);
    return at;
}

/* malloc(0) may answer NULL, which would look like a refusal. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *mem_try_alloc(size_t size)
{
    return counted(malloc(at_least_one(size)));
}

void *mem_try_realloc(void *at, size_t size)
{
    return counted(realloc(at, at_least_one(size)));
}

void *mem_alloc(size_t size)
{
    return or_abort(mem_try_alloc(size), size);
}

void *mem_zalloc(size_t size)
{
    return or_abort(counted(calloc(1, at_least_one(size))), size);
}

void *mem_realloc(void *at, size_t size)
{
    return or_abort(mem_try_realloc(at, size), size);
}

char *mem_strdup(const char *text)
{
    return mem_strndup(text, strlen(text));
}

char *mem_strndup(const void *at, size_t len)
{
    char *text = mem_alloc(len + 1);
    if (len)
        memcpy(text, at, len);
    text[len] = '\0';
    return text;
}

void mem_free(void *at)
{
    free(at);
}

size_t mem_held(const void *at)
{
    return at ? malloc_usable_size((void *)(uintptr_t)at) + sizeof(size_t) : 0;
}

size_t mem_held_max(size_t size)
{
    enum { HEAD_AND_ROUNDING = 32, OWN_PAGES_MIN = 128 * 1024, PAGE = 4096 };
    return size + HEAD_AND_ROUNDING + (size >= OWN_PAGES_MIN - HEAD_AND_ROUNDING ? PAGE : 0);
}

uint64_t mem_allocs_n(void)
{
    return atomic_load_explicit(&allocs_n, memory_order_relaxed);
}
