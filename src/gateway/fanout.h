/* Messages to any number of clients: encoded once per variant, queued by reference. */
#ifndef GATEWAY_FANOUT_H
#define GATEWAY_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/chunk.h"
#include "base/span.h"
#include "proc/role.h"
#include "proto/ws_deflate.h"

struct client;
struct codec;
struct gateway;

enum fanout_flag {
    FANOUT_RAW = 1,    /* the bytes are framed already */
    FANOUT_BINARY = 2, /* where the protocol knows kinds of messages */
};

/* Messages of one fanout: enough that the walk over the members costs little per message. Together
 * they take half a chunk at most, unless there is only one. */
enum { FANOUT_MESSAGES_MAX = 64, FANOUT_RUN_BYTES = CHUNK_STD / 2 };

/* What one protocol makes of the messages, for the peers that agreed on the same (proto/codec.h).
 */
struct fanout_variant {
    const struct codec *codec;
    uint8_t number;
    struct chunk *chunk;
    uint32_t off;                       /* of the first message */
    uint32_t ends[FANOUT_MESSAGES_MAX]; /* of each message, where the next one begins */
};

/* Lives on the stack between begin and end. The encoded bytes lie at the end of the loop's shared
 * chunk: sends that follow one another in a turn lie side by side, so that a connection's queue
 * joins them to one piece. */
struct fanout {
    struct gateway *gateway;
    struct span messages[FANOUT_MESSAGES_MAX]; /* borrowed until end */
    size_t messages_n;
    size_t room; /* that all of them may take in one variant */
    unsigned flags;
    uint32_t reached_n; /* clients that the last message was queued to */
    uint64_t queued_n;  /* messages, each counted for each client */
    size_t variants_n;
    /* A plain one for each protocol, and WebSocket's by window. */
    struct fanout_variant
        variants[ROLE_LISTENERS_MAX + WS_WINDOW_BITS_MAX - WS_WINDOW_BITS_MIN + 1];
};

void fanout_begin(struct fanout *f, struct gateway *g, struct span payload, unsigned flags);
/* One more, to the same clients, behind the others. false: there is no room for it in this one. */
bool fanout_add(struct fanout *f, struct span payload);
/* Queues the messages to the client. A full client is treated as on_full says: it may be closing
 * afterwards, but stays in all tables until the end of the turn. */
void fanout_to(struct fanout *f, struct client *c);
void fanout_end(struct fanout *f);

/* All of it for one message to one client. Returns whether it was queued. */
bool fanout_one(struct gateway *g, struct client *c, struct span payload, unsigned flags);

#endif
