/* How fast each client may send: a token bucket in four bytes, and what happens to who is faster.
 */
#ifndef GATEWAY_RATE_H
#define GATEWAY_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/feeders.h"
#include "net/loop.h"

struct client;
struct gateway;

enum { RATE_BURST_SECONDS_MAX = 3600 };

/* The bucket as the time at which it will be full again (the generic cell rate algorithm, ITU-T
 * I.371): a message moves that on by the time of one token, and may come as long as it lies no more
 * than the burst ahead. Zero-initialised is full. Times are in 1/256 ms and wrap. */
struct rate {
    uint32_t token_time; /* of one token; 0: no limit */
    uint32_t burst_time; /* of all tokens but one */
};

struct rate rate_of(int64_t per_second, int64_t burst_n);
/* Takes a token; false: there is none, *full_at stays. */
bool rate_take(const struct rate *r, uint32_t *full_at, uint64_t now_ms);
bool rate_has_token(const struct rate *r, uint32_t full_at, uint64_t now_ms);

/* The messages of all clients of a gateway. */
struct rates {
    struct rate messages;
    struct feeders delayed; /* not read from until they have a token */
    struct timer look;
};

void rates_init(struct gateway *g);
void rates_fini(struct gateway *g);
/* A message came. false: it is one too many, and the client is closing (on_rate = close). With
 * delay it may come, but the next one is not read before it may. */
bool rates_allow(struct gateway *g, struct client *c);

#endif
