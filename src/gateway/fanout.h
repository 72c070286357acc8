/* One message to any number of clients: encoded once per variant, queued by reference. */
#ifndef GATEWAY_FANOUT_H
#define GATEWAY_FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "proc/role.h"
#include "proto/ws_deflate.h"

struct chunk;
struct client;
struct codec;
struct gateway;

enum fanout_flag {
    FANOUT_RAW = 1,    /* the bytes are framed already */
    FANOUT_BINARY = 2, /* where the protocol knows kinds of messages */
};

/* What one protocol makes of the message, for the peers that agreed on the same (proto/codec.h). */
struct fanout_variant {
    const struct codec *codec;
    uint8_t number;
    struct chunk *chunk;
    uint32_t off, len;
};

/* Lives on the stack between begin and end. The encoded bytes lie at the end of the loop's shared
 * chunk: sends that follow one another in a turn lie side by side, so that a connection's queue
 * joins them to one piece. */
struct fanout {
    struct gateway *gateway;
    struct span payload; /* borrowed until end */
    unsigned flags;
    uint32_t reached_n; /* clients that it was queued to */
    size_t variants_n;
    /* A plain one for each protocol, and WebSocket's by window. */
    struct fanout_variant
        variants[ROLE_LISTENERS_MAX + WS_WINDOW_BITS_MAX - WS_WINDOW_BITS_MIN + 1];
};

void fanout_begin(struct fanout *f, struct gateway *g, struct span payload, unsigned flags);
/* Queues the message to the client. A full client is treated as on_full says: it may be closing
 * afterwards, but stays in all tables until the end of the turn. */
void fanout_to(struct fanout *f, struct client *c);
void fanout_end(struct fanout *f);

#endif
