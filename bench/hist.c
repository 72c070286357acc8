/* A histogram of microseconds: reading it. */
#include "bench/hist.h"

#include <math.h>
#include <stddef.h>

static uint64_t upper_end(size_t bucket)
{
    if (bucket < 2u << HIST_SUB_BITS)
        return bucket;
    unsigned shift = (unsigned)(bucket >> HIST_SUB_BITS) - 1;
    uint64_t sub = bucket - ((uint64_t)shift << HIST_SUB_BITS);
    return ((sub + 1) << shift) - 1;
}

uint64_t hist_quantile(const struct hist *h, double share)
{
    uint64_t rank = (uint64_t)ceil(share * (double)h->values_n);
    uint64_t seen = 0;
    for (size_t i = 0; i < HIST_BUCKETS && rank > 0; i++) {
        seen += h->counts[i];
        if (seen >= rank)
            return upper_end(i) < h->max ? upper_end(i) : h->max;
    }
    return 0;
}
