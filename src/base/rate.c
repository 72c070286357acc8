/* A token bucket in four bytes: how fast something may happen on average, and how much at once. */
#include "base/rate.h"

enum { UNITS_PER_MS = 256 };

struct rate rate_of(int64_t per_second, int64_t burst_n)
{
    if (per_second <= 0)
        return (struct rate){0};
    int64_t token_time = 1000 * UNITS_PER_MS / per_second;
    if (token_time == 0)
        token_time = 1;
    int64_t more_n = burst_n > 1 ? burst_n - 1 : 0;
    return (struct rate){.token_time = (uint32_t)token_time,
                         .burst_time = (uint32_t)(token_time * more_n)};
}

static uint32_t time_of(uint64_t now_ms)
{
    return (uint32_t)(now_ms * UNITS_PER_MS);
}

/* How far ahead the bucket's time is; 0: it is full. A time further ahead than any message moves it
 * is one of long ago, seen across the wrap. */
uint32_t rate_missing(const struct rate *r, uint32_t full_at, uint64_t now_ms)
{
    uint32_t by = full_at - time_of(now_ms);
    return full_at == 0 || by > r->burst_time + r->token_time ? 0 : by;
}

bool rate_has_token(const struct rate *r, uint32_t full_at, uint64_t now_ms)
{
    return rate_missing(r, full_at, now_ms) <= r->burst_time;
}

bool rate_take(const struct rate *r, uint32_t *full_at, uint64_t now_ms)
{
    uint32_t by = rate_missing(r, *full_at, now_ms);
    if (by > r->burst_time)
        return false;
    *full_at = time_of(now_ms) + by + r->token_time;
    *full_at += *full_at == 0; /* 0 is a bucket that was never used */
    return true;
}

uint64_t rate_wait_ms(const struct rate *r, uint32_t full_at, uint64_t now_ms)
{
    uint32_t by = rate_missing(r, full_at, now_ms);
    return by > r->burst_time ? (by - r->burst_time + UNITS_PER_MS - 1) / UNITS_PER_MS : 0;
}
