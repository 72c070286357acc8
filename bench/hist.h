/* A histogram of microseconds with a relative error below 2 %: constant size, a few instructions
 * per value. */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

/* Values below 64 have a bucket each; above, each power of two is cut into 64 buckets. */
enum { HIST_SUB_BITS = 6, HIST_BUCKETS = (64 - HIST_SUB_BITS) << HIST_SUB_BITS };

/* Zero-initialised is empty. */
struct hist {
    uint64_t counts[HIST_BUCKETS];
    uint64_t values_n;
    uint64_t max;
};

static inline void hist_add(struct hist *h, uint64_t value)
{
    unsigned bucket = (unsigned)value;
    if (value >= 1u << HIST_SUB_BITS) {
        unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HIST_SUB_BITS;
        bucket = (shift << HIST_SUB_BITS) + (unsigned)(value >> shift);
    }
    h->counts[bucket]++;
    h->values_n++;
    h->max = value > h->max ? value : h->max;
}

/* The value that `share` (0 to 1) of all values do not exceed, up to the width of a bucket; 0 when
 * there is none. */
uint64_t hist_quantile(const struct hist *h, double share);

#endif
