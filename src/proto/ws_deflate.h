/* permessage-deflate (RFC 7692), the server's side: what is agreed, inflating within a limit,
 * deflating.
 *
 * Contexts are memory: deflating takes 2^(bits + 2) + 2^(level + 9) bytes, inflating 2^bits + 7
 * KiB. A connection holds one only while it must: across messages when the peers agreed on context
 * takeover, else for the message that is being read. What is sent without takeover does not depend
 * on the connection, so that one context per window size serves everybody, and one compressed frame
 * all members of a group. */
#ifndef PROTO_WS_DEFLATE_H
#define PROTO_WS_DEFLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"

struct http_request;

enum { WS_WINDOW_BITS_MIN = 8, WS_WINDOW_BITS_MAX = 15 }; /* RFC 7692 §7.1.2 */

struct ws_deflate_conf {
    uint8_t window_bits; /* 9 to 15: no larger window is agreed on where the peer lets us choose */
    uint8_t mem_level;   /* 1 to 9, as zlib has it */
    bool keeps_ours;     /* context takeover for what we send, when the client agrees */
    bool keeps_theirs;   /* and for what the client sends */
    size_t min_bytes;    /* smaller messages go out as they are */
};

/* What one connection agreed on; all zero: no compression. */
struct ws_deflate_terms {
    uint8_t server_bits;
    uint8_t client_bits;
    bool keeps_ours : 1;
    bool keeps_theirs : 1;
};

static inline bool ws_deflate_is_on(struct ws_deflate_terms terms)
{
    return terms.server_bits != 0;
}

/* Reads the offers of a handshake, takes the first that it can keep, and appends the value of the
 * answer's Sec-WebSocket-Extensions. Returns 1, 0 when nothing is agreed, or GW_EPROTO for a header
 * that is not well-formed (RFC 6455 §9.1: the handshake fails). */
int ws_deflate_agree(const struct ws_deflate_conf *conf, const struct http_request *r,
                     struct ws_deflate_terms *terms, struct buf *answer) NODISCARD;

/* The contexts that all connections of one configuration share in a process. */
struct ws_deflate;

struct ws_deflate *ws_deflate_new(const struct ws_deflate_conf *conf) NODISCARD;
void ws_deflate_free(struct ws_deflate *d); /* after the last connection; NULL is fine */
const struct ws_deflate_conf *ws_deflate_conf_of(const struct ws_deflate *d);

/* The contexts of one connection; NULL while it needs none. */
struct ws_deflate_own;

void ws_deflate_own_free(struct ws_deflate_own *own); /* NULL is fine */

/* Writes the message as one compressed frame; `to` has room for payload.len + CODEC_OVERHEAD_MAX.
 * Returns the bytes written, or 0 where a plain frame is the better one: below min_bytes, or not
 * smaller. Only terms that keep ours use *own. */
size_t ws_deflate_frame(struct ws_deflate *d, struct ws_deflate_own **own,
                        struct ws_deflate_terms terms, uint8_t *to, struct span payload,
                        bool is_binary);

/* A compressed message begins. 0 or -ENOMEM. */
int ws_inflate_begin(struct ws_deflate *d, struct ws_deflate_own **own,
                     struct ws_deflate_terms terms) NODISCARD;
/* Inflates from the front of *in, which moves on, to `to`; *len is the room there and becomes the
 * bytes written. is_end: nothing of the message comes behind *in. Returns 1 when the room is full
 * and more may come: call again, 0 when all of *in is used, GW_EPROTO for bytes that are not
 * deflate's or end inside of a block, -ENOMEM. */
int ws_inflate(struct ws_deflate_own *own, struct span *in, bool is_end, uint8_t *to,
               size_t *len) NODISCARD;
uint64_t ws_inflate_taken(const struct ws_deflate_own *own); /* bytes of *in since the begin */
/* The message is complete: gives back what need not be kept. */
void ws_inflate_end(struct ws_deflate *d, struct ws_deflate_own **own,
                    struct ws_deflate_terms terms);

#endif
