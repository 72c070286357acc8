/* What the files of conn share: the connection, its pool, and who does what.
 *
 *   conn.c       birth, handshake, readiness, closing, death
 *   conn_read.c  input: shared buffer, leftovers, pausing
 *   conn_write.c output: queueing, flushing, stalling
 *   conn_limit.c how much of it may wait
 *   conn_out.c   the memory of what is queued
 *   conn_file.c  output: a file behind what is queued
 *   conn_kind.c  what connections of one sort have in common
 *   conn_pool.c  what all connections of a loop share
 *   conn_get.c   small questions
 */
#ifndef NET_CONN_INTERNAL_H
#define NET_CONN_INTERNAL_H

#include <sys/uio.h>

#include "base/list.h"
#include "base/pool.h"
#include "base/vec.h"
#include "net/conn.h"
#include "net/deadline.h"
#include "net/linger.h"
#include "net/outq.h"

enum conn_flag {
    CONN_CONNECTING = 1 << 0,
    CONN_HANDSHAKING = 1 << 1,
    CONN_CLOSING = 1 << 2, /* conn_close(): no input, no new output */
    CONN_DEAD = 1 << 3,    /* waits for the end of the turn */
    CONN_DIRTY = 1 << 4,   /* in the pool's list of connections to flush */
    CONN_STALLED = 1 << 5, /* output must wait: for the handshake or for the kernel's buffer */
    CONN_WANTS_DRAIN = 1 << 6,
    CONN_AGAIN = 1 << 7,   /* in the pool's list of connections to read next turn */
    CONN_HUNG_UP = 1 << 8, /* the peer is gone while we are paused: not watched until resumed */
    CONN_LINGERS = 1 << 9, /* all output is out; the descriptor goes to linger.c */
    CONN_AT_END = 1 << 10, /* the peer's last byte was read */
    CONN_FRESH = 1 << 11,  /* in the pool's list of connections to read for the first time */
    CONN_ENDS = 1 << 12,   /* the peer's last byte is here, behind what there is to read */
};

/* Unused input between two reads; only as long as there is some. */
struct leftover {
    size_t off;
    size_t len;
    size_t cap; /* LEFTOVER_SMALL_CAP: an object of the pool; else from the heap */
    uint8_t at[];
};

/* What connections of one sort have in common, once for all of them. */
struct conn_kind {
    struct list node; /* in the pool */
    struct conn_pool *pool;
    const struct conn_conf *conf;
    const struct conn_events *events;
    const struct transport *transport;
    size_t conns_n;
};

struct conn_file;

/* What a connection needs while it has output or waits for its end. A few of them serve all
 * connections in turn, so that they stay in the cache. */
struct conn_out {
    struct outq queue;
    struct chunk *tail; /* chunk of our own that output is copied to; one reference, may be NULL */
    struct conn_file *file; /* behind the queue, with nothing behind it; may be NULL */
    uint32_t drain_low;
};

/* Idle connections are many: see conn_pool for what they share and conn_out for what they borrow.
 * The last fields are all that queueing touches, for the walk over the members of a group: they
 * lie beside what the layer above keeps in the room behind. */
struct conn {
    struct watch watch;
    void *transport_state;
    struct leftover *leftover; /* NULL: no unused input */
    uint64_t read_bytes;
    uint64_t written_bytes;
    struct addr peer;
    uint8_t paused_n;
    uint8_t size_i;     /* in conn_pool.sizes */
    uint8_t read_wants; /* LOOP_… that makes reading useful */
    uint8_t write_wants;

    void *owner;
    struct conn_kind *kind; /* NULL: buried */
    struct conn_out *out;   /* NULL: no output */
    uint16_t flags;         /* enum conn_flag */
    int16_t why;            /* for on_close */
    struct deadline deadline;
};

_Static_assert(sizeof(struct conn) == CONN_BYTES, "conn_room() lies behind it");

/* Connections with equally much room. There are as many sizes as codecs, about. */
struct conn_size {
    size_t room_bytes;
    struct pool *conns;
};

enum {
    READ_SHARED_BYTES = 256 * 1024,
    LEFTOVER_SMALL_CAP = 512 - 24, /* with its head an object of 512 bytes */
    LEFTOVER_COPY_MAX = 32 * 1024, /* up to here it is copied in front of the next read */
    READS_PER_TURN = 4,            /* fairness: at most 1 MiB of one connection per turn */
    IOV_MAX_N = 1024,              /* UIO_MAXIOV: what one call takes */
    CONN_DEFAULT_MS = 10 * 1000,
    CONN_SIZES_MAX = 16,
    COMPACT_MAX_BYTES = 256 * 1024,
    COMPACT_MIN_BYTES = 512, /* to gain less than twice that is not worth a copy */
};

struct conn_pool {
    struct loop *loop;
    struct conn_size sizes[CONN_SIZES_MAX];
    size_t sizes_n;
    struct pool *outs;
    struct list kinds; /* struct conn_kind */
    struct pool *small_leftovers;
    struct chunk_pool *chunks;
    struct outring_pool rings;
    struct chunk *scratch; /* what conn_send() and others encode into; never NULL */
    struct chunk *large;   /* made to measure, until the end of the turn; may be NULL */
    struct vec dirty;
    struct vec again;
    struct vec fresh;
    struct vec dead;
    struct conn_counts counts;
    bool is_flushing;
    struct task flush;
    struct task flush_soon;
    struct task read_again;
    struct task read_fresh;
    struct task bury;
    struct task tidy;
    struct deadlines deadlines;
    struct lingers lingers;
    struct buf buf; /* of conn_pool_buf() */
    struct iovec iov[IOV_MAX_N];
    uint8_t shared[READ_SHARED_BYTES];
};

/* conn.c */
/* Drops the output; on_close and the end of c follow at the end of the turn. The first reason of a
 * connection stays. */
void conn_kill(struct conn *c, int why, unsigned extra_flags);
void conn_watch_what_is_useful(struct conn *c);
void conn_on_deadline(struct deadlines *all, struct deadline *d);
void conn_make_progress(struct conn *c); /* connecting and handshake */
void conn_bury(struct conn *c);          /* frees it */

/* conn_pool.c */
struct conn *conn_pool_take(struct conn_pool *p, size_t room_bytes); /* zero-filled */
void conn_pool_give(struct conn_pool *p, struct conn *c);

/* conn_kind.c */
struct conn_kind *conn_kind_take(struct conn_pool *p, const struct conn_conf *conf,
                                 const struct conn_events *events,
                                 const struct transport *transport);
void conn_kind_give(struct conn_kind *k);
static inline struct conn_pool *pool_of(const struct conn *c)
{
    return c->kind->pool;
}

/* conn_read.c */
void conn_read(struct conn *c);
void conn_read_next_turn(struct conn *c);
void conn_read_this_turn(struct conn *c); /* a new one, when all others are read */
void conn_read_fresh(struct conn *c);
void conn_read_again(struct conn *c); /* leftovers and what the transport holds */
void conn_drop_leftover(struct conn *c);
static inline bool conn_is_reading(const struct conn *c)
{
    return c->paused_n == 0 &&
           !(c->flags & (CONN_CONNECTING | CONN_HANDSHAKING | CONN_CLOSING | CONN_DEAD));
}

/* conn_write.c */
void conn_mark_dirty(struct conn *c);
void conn_flush(struct conn *c);
/* Gives the kernel what was queued in this turn; what else a flush does follows at its end. 0 or
 * GW_ECLOSED: an error ended the connection. */
int conn_write_early(struct conn *c);
/* With output: */
uint32_t conn_tail_room(const struct conn *c); /* bytes that join the last segment */
void conn_drop_unused_tail(struct conn *c);

/* conn_limit.c; of connections with output */
/* How much a new chunk in the queue may take. */
uint64_t conn_spare(const struct conn *c);
/* Whether what is left when the peer takes no more should be copied: because it keeps twice its own
 * size alive (as each copy follows at least as many bytes that were sent, the copies stay cheap),
 * or because only then it is within the limit. */
bool conn_should_compact(const struct conn *c);
static inline bool conn_counts_memory(const struct conn *c)
{
    return c->kind->conf->limits_memory && c->kind->conf->out_max_bytes != 0;
}

/* conn_out.c */
struct conn_out *conn_out_of(struct conn *c); /* one is taken when there is none */
void conn_out_give_unused(struct conn *c);    /* back, when nothing is in it any more */
void conn_out_drop(struct conn *c);           /* with all that is in it */
static inline uint64_t conn_out_bytes(const struct conn *c)
{
    return c->out ? c->out->queue.bytes : 0;
}

/* conn_file.c */
uint64_t conn_file_left(const struct conn *c);
void conn_file_drop(struct conn *c);
/* 0 when the whole file is sent, -EAGAIN with *wants set, or the error. */
int conn_file_write(struct conn *c, unsigned *wants);

static inline bool conn_is_opening(const struct conn *c)
{
    return c->flags & (CONN_CONNECTING | CONN_HANDSHAKING);
}

#endif
