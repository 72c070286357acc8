/* How fast connections may come from one address: a token bucket for each, in bounded memory.
 *
 * A table of 65,536 buckets that never grows: an address has eight places side by side in which its
 * bucket may lie. A new address takes the fullest of them, mostly one that is quite full again and
 * tells nothing any more. So whoever has very many addresses makes the table forget those that took
 * least, and costs no memory. */
#include "net/arrivals.h"

#include <stddef.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/rate.h"

enum { SETS_N = 8192, WAYS_N = 8 };

struct arrivals {
    struct rate rate;
    struct hash_seed seed;
    uint64_t keys[SETS_N][WAYS_N];
    uint32_t full_at[SETS_N][WAYS_N]; /* 0: never used; see rate.h */
};

struct arrivals *arrivals_new(int64_t per_second, int64_t burst_n)
{
    struct arrivals *a = mem_zalloc(sizeof *a);
    a->rate = rate_of(per_second, burst_n);
    a->seed = hash_seed();
    return a;
}

void arrivals_free(struct arrivals *a)
{
    mem_free(a);
}

/* The place of the key, or of who makes room for it: the one whose bucket is full the soonest. */
static uint32_t *bucket_of(struct arrivals *a, uint64_t key, uint64_t now_ms)
{
    size_t set = hash_u64(a->seed, key) % SETS_N;
    size_t fullest = 0;
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < WAYS_N; i++) {
        uint32_t missing = rate_missing(&a->rate, a->full_at[set][i], now_ms);
        if (a->keys[set][i] == key && a->full_at[set][i] != 0)
            return &a->full_at[set][i];
        if (missing < least) {
            least = missing;
            fullest = i;
        }
    }
    a->keys[set][fullest] = key;
    a->full_at[set][fullest] = 0;
    return &a->full_at[set][fullest];
}

bool arrivals_allow(struct arrivals *a, const struct addr *peer, uint64_t now_ms)
{
    if (peer->family == AF_UNIX)
        return true;
    return rate_take(&a->rate, bucket_of(a, addr_holder(peer), now_ms), now_ms);
}
