/* Finds out which clients are still there: pings, and drops who does not answer. */
#ifndef GATEWAY_HEARTBEAT_H
#define GATEWAY_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"

struct client;
struct gateway;

enum { HEARTBEAT_SLICES_MAX = 64 };

/* Every client is visited once per period, as by the original's timer, but not all at once: they
 * are spread over buckets, and one bucket is walked per tick. No client has a timer of its own. */
struct heartbeat {
    struct timer tick;
    uint64_t period_ms; /* 0: off */
    uint64_t begin_ms;
    uint64_t ticks_n;
    uint32_t slices_n;
    struct heartbeat_slice {
        struct client **at;
        uint32_t len, cap;
    } slices[HEARTBEAT_SLICES_MAX];
};

enum heartbeat_verdict { HEARTBEAT_QUIET, HEARTBEAT_PING, HEARTBEAT_DROP };

/* One visit. *silent_n is -1 after a message. The counting is the original's: tests/vectors,
 * worker-gateway.json, heartbeat_nolimit and heartbeat_limit1. */
enum heartbeat_verdict heartbeat_visit(int32_t *silent_n, int64_t not_response_limit);

void heartbeat_start(struct gateway *g);
void heartbeat_stop(struct gateway *g); /* visits no more; twice is fine */
void heartbeat_fini(struct gateway *g); /* frees the slices; every client must have left them */
void heartbeat_add(struct heartbeat *hb, struct client *c);
void heartbeat_remove(struct heartbeat *hb, struct client *c);
/* Whether frames without a message (pong) count as life: see ping_frames in the config. */
bool heartbeat_counts_frames(const struct gateway *g);

#endif
