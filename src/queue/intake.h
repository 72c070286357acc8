/* Orders on their way out of Redis: taken, in hand, then acknowledged or set aside. */
#ifndef QUEUE_INTAKE_H
#define QUEUE_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gw/store.h>

#include "base/compiler.h"
#include "base/vec.h"
#include "queue/order.h"
#include "queue/queue_conf.h"
#include "store/redis.h"

enum { INTAKE_BLOCK_MS = 1000 }; /* how long one command waits for orders */

struct taken {
    struct gw_bytes id;   /* of a stream's entry; empty in lists */
    struct gw_bytes text; /* data NULL: the entry is gone or holds no order */
    bool is_settled;
    bool is_failed; /* goes to the failed ones, for this reason: */
    char reason[ORDER_REASON_MAX];
};

/* At most one batch is in hand, and all of it is settled before the next is taken. */
struct intake {
    const struct queue_conf *conf;
    const struct intake_kind *kind;
    struct redis *redis;
    uint64_t timeout_ms;
    char *consumer;
    char *in_hand_key; /* lists: where orders lie while they are in hand */
    char *failed_key;
    bool is_dirty;       /* Redis may count orders as ours that we do not know of */
    bool is_prepared;    /* streams: the group is there */
    uint64_t claimed_ms; /* streams: when we last looked for what others left */
    struct taken *taken;
    size_t n;
    struct vec replies; /* what `taken` points into */
};

/* How lists and streams differ. All suspend; 0 or an error of redis_call(). */
struct intake_kind {
    /* Fills taken; none is no error. May wait INTAKE_BLOCK_MS for the first. */
    int (*take)(struct intake *in, uint64_t now_ms);
    /* Tells Redis that these are done; each that it knows of is marked as settled. */
    int (*acknowledge)(struct intake *in);
};
extern const struct intake_kind intake_list;
extern const struct intake_kind intake_stream;

/* conf is borrowed; consumer is copied; the Redis is borrowed. It lives as long as the process. */
void intake_init(struct intake *in, const struct queue_conf *conf, struct redis *redis,
                 uint64_t timeout_ms, const char *consumer);

int intake_take(struct intake *in, uint64_t now_ms) NODISCARD;
/* Sets the failed ones aside and acknowledges all. After an error it is called again, until it
 * succeeds: what was settled already is left alone. */
int intake_settle(struct intake *in) NODISCARD;

/* For the kinds: a command of n words, whose reply lives as long as the batch. An error reply of
 * Redis is GW_EREFUSED with a log line, *out then holds it all the same. */
int intake_call(struct intake *in, uint64_t ms, size_t n, const struct gw_bytes *words,
                const struct gw_reply **out) NODISCARD;
void intake_add(struct intake *in, struct gw_bytes id, struct gw_bytes text);
/* Keeps the reply until the batch is over. NULL is fine. */
void intake_keep(struct intake *in, struct gw_reply *reply);

#endif
