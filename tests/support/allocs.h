/* Counts allocations through base/mem.h between two points of a test. */
#ifndef SUPPORT_ALLOCS_H
#define SUPPORT_ALLOCS_H

#include <stdint.h>

#include "base/mem.h"

struct allocs {
    uint64_t before_n;
};

static inline struct allocs allocs_mark(void)
{
    return (struct allocs){.before_n = mem_allocs_n()};
}

/* assert_int_equal(allocs_since(mark), 0) */
static inline uint64_t allocs_since(struct allocs mark)
{
    return mem_allocs_n() - mark.before_n;
}

#endif
