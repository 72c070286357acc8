/* A token bucket in four bytes: how fast something may happen on average, and how much at once. */
#ifndef BASE_RATE_H
#define BASE_RATE_H

#include <stdbool.h>
#include <stdint.h>

enum { RATE_BURST_SECONDS_MAX = 3600 };

/* The bucket as the time at which it will be full again (the generic cell rate algorithm, ITU-T
 * I.371): taking a token moves that on by the time of one, and is allowed as long as it lies no
 * more than the burst ahead. Zero-initialised is full. Times are in 1/256 ms and wrap. */
struct rate {
    uint32_t token_time; /* of one token; 0: no limit, and no bucket is to be asked */
    uint32_t burst_time; /* of all tokens but one */
};

/* per_second: 0 for no limit, else up to 256000, rounded up to what 1/256 ms can tell. burst_n:
 * tokens of a full bucket, at least 1, at most RATE_BURST_SECONDS_MAX seconds' worth. */
struct rate rate_of(int64_t per_second, int64_t burst_n);
/* Takes a token; false: there is none, *full_at stays. */
bool rate_take(const struct rate *r, uint32_t *full_at, uint64_t now_ms);
bool rate_has_token(const struct rate *r, uint32_t full_at, uint64_t now_ms);
/* How long the bucket takes to be full, in 1/256 ms: the more, the more was taken of it. */
uint32_t rate_missing(const struct rate *r, uint32_t full_at, uint64_t now_ms);
/* Milliseconds until there is one, rounded up; 0: now. */
uint64_t rate_wait_ms(const struct rate *r, uint32_t full_at, uint64_t now_ms);

#endif
