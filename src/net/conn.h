/* One byte-stream connection on the loop: shared input, queued output, one flush per turn. */
#ifndef NET_CONN_H
#define NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/chunk.h"
#include "base/compiler.h"
#include "base/span.h"
#include "net/addr.h"
#include "net/loop.h"
#include "net/transport.h"

/* What all connections of a loop share: the read buffer, chunks, the list of connections with
 * output. An idle connection holds no buffers: unused input is kept in memory of its own only
 * between two reads, output only until it is sent. */
struct conn_pool;
struct conn;
struct conn_conf;

struct conn_counts {
    uint64_t read_bytes;
    uint64_t written_bytes;
};

struct conn_pool *conn_pool_new(struct loop *l) NODISCARD;
void conn_pool_free(struct conn_pool *p); /* destroys what is still open; runs on_close */
struct loop *conn_pool_loop(const struct conn_pool *p);
size_t conn_pool_len(const struct conn_pool *p); /* open connections */
/* Of all connections so far, those that are closed included. */
struct conn_counts conn_pool_counts(const struct conn_pool *p);
/* An empty buffer for the layer above, borrowed for the length of one callback. */
struct buf *conn_pool_buf(struct conn_pool *p);
struct chunk_pool *conn_pool_chunks(struct conn_pool *p);

/* The owner's own bytes behind every connection of a sort (conn_events.room_bytes), aligned for
 * pointers, zero-filled at the beginning and gone with the connection: one allocation instead of
 * two, and what a walk over many connections touches sits together. */
enum { CONN_BYTES = 104 };
static inline void *conn_room(struct conn *c)
{
    return (void *)((uintptr_t)c + CONN_BYTES);
}
static inline struct conn *conn_of_room(const void *room)
{
    return (struct conn *)((uintptr_t)room - CONN_BYTES);
}

/* Why a connection ended, for on_close: 0 we closed it, GW_ECLOSED the peer did, else the error. */
struct conn_events {
    /* Ready for bytes: dialled, or the transport's handshake is done. May be NULL. */
    void (*on_open)(struct conn *c, void *owner);
    /* Bytes to use, writable in place. Returns how many were used from the front (the rest comes
     * again, with more behind it) or < 0: the connection is closed with that reason after its
     * queued output is flushed. Calling conn_close() or conn_destroy() inside is fine. */
    ssize_t (*on_bytes)(struct conn *c, void *owner, uint8_t *at, size_t len);
    /* How many bytes of conn_room() a connection with that conf begins with. NULL: none. */
    size_t (*room_bytes)(const struct conn_conf *conf);
    /* The queue fell to the mark of conn_want_drain(). May be NULL. */
    void (*on_drain)(struct conn *c, void *owner);
    /* Exactly once, last; c is freed after this turn and must not be used again. */
    void (*on_close)(struct conn *c, void *owner, int why);
    /* The time of conn_set_deadline() passed. May be NULL. */
    void (*on_deadline)(struct conn *c, void *owner);
};

/* Limits of 0 bytes: none. Times of 0: 10 s, because nothing may wait for ever. */
struct conn_conf {
    uint64_t in_max_bytes;         /* most unused input that on_bytes may leave; more: GW_ETOOBIG */
    uint64_t out_max_bytes;        /* limit of the output queue, see conn_send() */
    uint64_t close_timeout_ms;     /* how long conn_close() may take to flush; then destroyed */
    uint64_t handshake_timeout_ms; /* connecting and the transport's handshake */
    bool is_unshared;              /* no child process ever has the descriptor, too: closing it is
                                      then enough to end its watch */
    bool limits_memory;            /* out_max_bytes is what a queue may take in memory, with all
                                      that belongs to it: for peers who are many */
    bool keeps_messages; /* with limits_memory: what conn_queue() is given stays one message, for
                            conn_drop_oldest(); costs memory per message */
    bool is_bulk;        /* inner links: output goes to chunks of their own, so that a
                            busy link sends few long segments */
};

/* Takes fd (non-blocking) and transport_state, also when it fails (NULL: errno). conf and events
 * must outlive the connection. */
struct conn *conn_new(struct conn_pool *p, int fd, const struct addr *peer,
                      const struct transport *transport, void *transport_state,
                      const struct conn_conf *conf, const struct conn_events *events,
                      void *owner) NODISCARD;
/* Connects; on_open or on_close follows, never from inside this call. NULL: errno. */
struct conn *conn_dial(struct conn_pool *p, const struct addr *to, const struct conn_conf *conf,
                       const struct conn_events *events, void *owner) NODISCARD;

/* The same over another transport; takes transport_state, also when it fails. */
struct conn *conn_dial_over(struct conn_pool *p, const struct addr *to,
                            const struct transport *transport, void *transport_state,
                            const struct conn_conf *conf, const struct conn_events *events,
                            void *owner) NODISCARD;

void conn_set_owner(struct conn *c, void *owner);
void *conn_owner(const struct conn *c);
/* Hands an open connection over, from inside on_bytes or outside of it. What on_bytes left unused
 * comes again, to the new events, in the next turn; the deadline is cleared. The room stays as it
 * is: the new events are content with it. */
void conn_adopt(struct conn *c, const struct conn_conf *conf, const struct conn_events *events,
                void *owner);

/* Copies the bytes to the end of the queue. 0, GW_ECLOSED after close, or GW_EFULL (nothing is
 * queued; GW_ETOOBIG above 2 GiB):
 * - when the queue holds out_max_bytes or more already: one message of any size passes below;
 * - with limits_memory when the queue, waiting for its peer, would take more than out_max_bytes
 * with them. What this turn has queued is sent before that is said. When nothing is left then, a
 *   message of any size passes, as in the original.
 * Sent at the end of the turn. */
int conn_send(struct conn *c, struct span bytes) NODISCARD;
/* Queues a reference to bytes [off, off + len) of a chunk. Same results. Neighbouring references to
 * the same chunk are joined. */
int conn_queue(struct conn *c, struct chunk *chunk, uint32_t off, uint32_t len) NODISCARD;
/* The same when conn_admits() has just answered 0, for len bytes or more: it is not asked again. */
void conn_queue_admitted(struct conn *c, struct chunk *chunk, uint32_t off, uint32_t len);
/* A chunk of this loop with room for `room` more bytes behind its len, to encode into and then
 * queue anywhere in this turn. Borrowed: the pool keeps its reference until this is called again
 * (conn_send() and chan_send() do), or to the end of the turn. */
struct chunk *conn_pool_scratch(struct conn_pool *p, size_t room);
/* Room for n bytes at the end of the queue of a bulk connection, to encode into; NULL when closed.
 * No limit is applied: look at conn_queued() and slow the source down. */
uint8_t *conn_reserve(struct conn *c, size_t n) NODISCARD;
void conn_commit(struct conn *c, size_t n);
/* The same for bytes that can wait: they leave with what is queued behind them, or when the caller
 * says so with conn_push(). */
void conn_commit_quietly(struct conn *c, size_t n);
void conn_push(struct conn *c);            /* at the end of this turn everything queued leaves */
bool conn_is_pushed(const struct conn *c); /* it will anyway */

/* Sends bytes [off, off + len) of a file behind what is queued, without copying them; takes fd also
 * when it fails. Until on_drain tells that all of it is out nothing can be queued behind it. 0,
 * GW_ECLOSED, or GW_EFULL while another file is being sent. A file that got shorter meanwhile ends
 * the connection with -EIO. */
int conn_send_file(struct conn *c, int fd, uint64_t off, uint64_t len) NODISCARD;

/* Gives the kernel now what would leave at the end of this turn, in front of what other connections
 * have: for what the peer should know before it hears of the consequences elsewhere. on_drain may
 * run inside. */
void conn_write_now(struct conn *c);
/* With keeps_messages: takes out of the queue what conn_queue() added, the oldest first, until
 * there is room for len bytes. Whole messages only: what the peer may have seen a part of stays,
 * and so do bytes of conn_send(). Returns how many; the room may still be too small then. */
size_t conn_drop_oldest(struct conn *c, uint64_t len);

uint64_t conn_queued(const struct conn *c); /* bytes not yet given to the kernel */
bool conn_is_full(const struct conn *c);    /* not even one byte fits */
/* What conn_send() of so many bytes would answer, before they are there. */
int conn_admits(struct conn *c, uint64_t len) NODISCARD;
/* Queued in one call, so many bytes fit. Without limits_memory they do in whatever pieces; with it
 * each piece may cost a little memory more. */
bool conn_has_room(const struct conn *c, uint64_t bytes);
/* One call of on_drain when the queue has fallen to low_bytes or below (at once in this turn's
 * flush, if it has already). */
void conn_want_drain(struct conn *c, uint64_t low_bytes);
/* Stops and restarts reading; the kernel's buffer then fills and slows the peer down. Counted: as
 * many resumes as pauses. What on_bytes left unused comes again after the last resume. */
void conn_pause(struct conn *c);
void conn_resume(struct conn *c);
bool conn_is_paused(const struct conn *c);

/* Reads no more, sends what is queued, then closes. Twice is fine. on_close comes later. After it
 * the descriptor lives on for a moment, shut down and drained: closing it with unread input would
 * make the kernel reset the connection, and the peer would lose our last bytes. */
void conn_close(struct conn *c);
void conn_close_for(struct conn *c, int why); /* the same, and on_close is told why */
/* Drops the queue and closes at the end of this turn. */
void conn_destroy(struct conn *c, int why);
bool conn_is_closing(const struct conn *c);
/* One deadline for the layer above, while the connection is open: on_deadline comes once, after
 * delay_ms, unless it is set again; 0 clears it. */
void conn_set_deadline(struct conn *c, uint64_t delay_ms);

const struct addr *conn_peer(const struct conn *c);
void conn_set_peer(struct conn *c, const struct addr *peer); /* behind a trusted proxy */
int conn_fd(const struct conn *c);
struct conn_pool *conn_pool_of(const struct conn *c);
const char *conn_transport_name(const struct conn *c);

void conn_counts(const struct conn *c, struct conn_counts *out);

#endif
