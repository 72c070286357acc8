/* The inner port: workers and client libraries, which speak the wire. */
#ifndef GATEWAY_INNER_H
#define GATEWAY_INNER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/span.h"
#include "chan/door.h"
#include "chan/pulse.h"
#include "gateway/herald.h"
#include "net/conn.h"
#include "net/loop.h"

struct chunk;
struct gateway;
struct job;
struct wire_packet;
struct worker;

/* In jobs.line, where those wait whose answer is large: */
enum peer_place { PEER_NOT_IN_LINE, PEER_IN_LINE, PEER_LET_IN };

struct peer {
    struct gateway *gateway;
    struct conn *conn;
    struct worker *worker; /* NULL: a client library, or no longer a worker's link */
    struct list node;      /* in inner.peers */
    bool is_authorized;
    bool speaks_ours;      /* offered our extensions: proto/wire.h, CMD_HELLO and up */
    bool has_judge;        /* a worker whose module judges handshakes */
    bool skips_requests;   /* a worker whose module has no on_websocket_connect */
    bool hears_buffers;    /* one that wants to hear which clients are slow */
    bool takes_packets;    /* a client library that wants its answers as CMD_REPLY, like a worker */
    bool is_held;          /* not read from until it takes its answers */
    uint64_t answer_bytes; /* no more than this of its queue are answers */
    struct job *job;       /* of its last command; it is not read from until that is done */
    struct list in_line;
    enum peer_place place;
    struct timer late;  /* pushes the events that could wait */
    uint64_t pushed_ms; /* when the last ones were */
    struct span ahead;  /* while a command of it runs: what came behind it; who uses up more of
                           the same moves it */
    struct audience audience;
    struct pulse pulse;
    uint64_t heard_ms;  /* when it sent something last */
    bool is_pinging;    /* sends CMD_PING, so its silence means something */
    uint32_t reached_n; /* clients that its last send was queued to, for CMD_RECEIPT */
};

struct inner {
    struct door door;
    struct conn_conf conn_conf;
    struct list peers;
    struct timer ping;
};

/* Serves fd, which stays the caller's. 0 or -errno, logged. */
int inner_start(struct gateway *g, int fd) NODISCARD;
/* A peer within this process, over one end of a socket pair, which is taken: it needs no key and
 * speaks our extensions. NULL, logged. */
struct peer *inner_adopt(struct gateway *g, int fd) NODISCARD;
void inner_stop(
    struct gateway *g); /* accepts no more, closes all peers with a flush; twice is fine */

void peer_authorize(struct peer *p); /* it has shown the key */
/* It offered our extensions, and perhaps asked for word of interest: they are accepted by
 * CMD_HELLO. Once is enough. */
void peer_accept_ours(struct peer *p, bool wants_interest);
void peer_send(struct peer *p, const struct wire_packet *packet);
/* Queues n bytes, encoded at conn_reserve(), of an event. One that can wait leaves at once, too,
 * unless another one has in this millisecond; then they leave together in the next. */
void peer_commit_event(struct peer *p, size_t n, bool can_wait);

/* With its head below the least max_packet_bytes of a worker. */
enum { REPLY_PART_MAX = 60 * 1024 };

/* Answers a query with a serialized value: as the original does, or by CMD_REPLY on a link of ours,
 * in parts when it is long (docs/wire.md §3). */
void peer_reply(struct peer *p, struct span value);
/* The same in pieces: begin, then parts of at most REPLY_PART_MAX, which end with their chunks.
 * Nothing but events may be sent to the peer in between. */
void peer_reply_begin(struct peer *p, uint64_t value_bytes);
void peer_reply_part(struct peer *p, struct chunk *chunk, uint32_t off, bool is_last);
/* There will be no answer to its query: a link of ours is told, on which there may be queries of
 * others; else it is closed, for a plain answer cannot say so. */
void peer_refuse(struct peer *p, int rc);

#endif
