/* The output queue of a connection: references to parts of chunks, in the order they leave. */
#ifndef NET_OUTQ_H
#define NET_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/chunk.h"
#include "base/compiler.h"
#include "base/vec.h"

struct outseg {
    struct chunk *chunk; /* one reference is held; NULL: no segment */
    uint32_t off : 31;
    uint32_t is_message : 1; /* whole and alone: outq_drop_messages() may take it out */
    uint32_t len;
};

struct outring;

/* Invariants: bytes is the sum of all lengths, held the memory of the ring and of the chunks;
 * neighbours in the same chunk count it once, whoever else refers to it. `last` is the newest
 * segment and is embedded, so that a connection with one run of output needs nothing else; older
 * ones are in the ring, which exists only while there are any. */
struct outq {
    uint64_t bytes;
    uint64_t held;
    struct outseg last;
    struct outring *ring;
};

enum {
    OUTRING_CLASSES = 8,
    /* Output that waits is copied into chunks of this size: with all heads they are 16 KiB, so that
     * one fits where another was, and little is held for a message whose beginning has left. */
    OUTQ_PIECE = 16 * 1024 - 32,
};

/* Rings that wait for their next user; larger ones than class 7 are freed after use. */
struct outring_pool {
    struct vec idle[OUTRING_CLASSES]; /* class k: rings of 8 << k segments */
};

void outring_pool_fini(struct outring_pool *p);

/* Adds a segment of len > 0 bytes that is not joined to the last one; takes a reference. bytes is
 * the caller's to raise. */
void outq_push(struct outq *q, struct outring_pool *p, struct chunk *chunk, uint32_t off,
               uint32_t len, bool is_message);
void outq_clear(struct outq *q, struct outring_pool *p);
/* outq_consume() and outq_iov() of queues of several segments, or for a part of one. */
void outq_consume_part(struct outq *q, struct outring_pool *p, size_t n);
int outq_iov_of_all(const struct outq *q, struct iovec *iov, int iov_max);
/* Takes messages out, the oldest first, until no more than held_max is held or there are no more;
 * those that begin within the first spared_bytes stay. Returns how many. */
size_t outq_drop_messages(struct outq *q, struct outring_pool *p, uint64_t spared_bytes,
                          uint64_t held_max);
uint64_t outq_ring_held(const struct outq *q); /* the part of held that is not chunks */
/* The most by which n more segments make the ring grow, in bytes held. */
uint64_t outq_ring_growth(const struct outq *q, uint64_t n);
/* Replaces everything by a copy in chunks made to measure, a segment for each. */
void outq_compact(struct outq *q, struct outring_pool *p, struct chunk_pool *chunks);
/* The same, but the segments stay what they are. */
void outq_compact_each(struct outq *q, struct chunk_pool *chunks);

/* Adds a reference, joined to the last segment where it continues it. Not for queues with messages.
 */
static inline void outq_add(struct outq *q, struct outring_pool *p, struct chunk *chunk,
                            uint32_t off, uint32_t len)
{
    q->bytes += len;
    if (q->last.chunk == chunk && q->last.off + q->last.len == off)
        q->last.len += len;
    else
        outq_push(q, p, chunk, off, len, false);
}

/* Most queues are one segment, which leaves whole: for each delivery of a fan-out once. */
static inline bool outq_is_single(const struct outq *q)
{
    return q->last.chunk && !q->ring;
}

/* Describes the front of the queue in at most iov_max > 0 parts; returns how many. */
static inline int outq_iov(const struct outq *q, struct iovec *iov, int iov_max)
{
    if (UNLIKELY(!outq_is_single(q)))
        return outq_iov_of_all(q, iov, iov_max);
    *iov = (struct iovec){.iov_base = q->last.chunk->at + q->last.off, .iov_len = q->last.len};
    return 1;
}

/* Drops n <= bytes at the front; a message that is cut is none any more. */
static inline void outq_consume(struct outq *q, struct outring_pool *p, size_t n)
{
    if (UNLIKELY(!outq_is_single(q) || n < q->last.len)) {
        outq_consume_part(q, p, n);
        return;
    }
    chunk_unref(q->last.chunk);
    *q = (struct outq){0};
}

#endif
