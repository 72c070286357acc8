/* A connection's output: queueing, flushing once per turn, waiting for slow peers. */
#include <errno.h>
#include <string.h>

#include <gw/err.h>

#include "net/conn_internal.h"

/* While the peer is slow a chunk is worth holding for a part that leaves at most this share of its
 * own length of it unused. */
enum { UNUSED_SHARE = 8, WHOLE_SHARE = 4, TAIL_MIN_BYTES = 1024 };

void conn_mark_dirty(struct conn *c)
{
    if (c->flags & (CONN_DIRTY | CONN_DEAD))
        return;
    c->flags |= CONN_DIRTY;
    vec_push(&pool_of(c)->dirty, c);
    if (!pool_of(c)
             ->is_flushing) /* else the flush that runs sees it, or leaves it for the next turn */
        loop_at_flush(pool_of(c)->loop, &pool_of(c)->flush);
}

/* --- queueing --- */

void conn_push(struct conn *c)
{
    if (!(c->flags & (CONN_DIRTY | CONN_STALLED)))
        conn_mark_dirty(c);
}

bool conn_is_pushed(const struct conn *c)
{
    return c->flags & (CONN_DIRTY | CONN_STALLED);
}

static void add(struct conn *c, struct chunk *chunk, uint32_t off, uint32_t len, bool is_message)
{
    struct outq *queue = &conn_out_of(c)->queue;
    if (UNLIKELY(c->kind->conf->keeps_messages)) {
        outq_push(queue, &pool_of(c)->rings, chunk, off, len, is_message);
        queue->bytes += len;
    } else {
        outq_add(queue, &pool_of(c)->rings, chunk, off, len);
    }
    conn_push(c);
}

/* Bulk connections fill whole chunks; slow ones get chunks that grow with their queue, up to one
 * piece, and stay within the limit. */
static struct chunk *new_tail(struct conn *c, size_t room)
{
    struct chunk_pool *chunks = pool_of(c)->chunks;
    uint64_t bytes = c->out->queue.bytes, spare = conn_spare(c), heads = chunk_held_max(0);
    if (c->kind->conf->is_bulk)
        return chunk_new(chunks, room);
    if (bytes < TAIL_MIN_BYTES)
        bytes = TAIL_MIN_BYTES;
    if (bytes > OUTQ_PIECE)
        bytes = OUTQ_PIECE;
    if (bytes + heads > spare)
        bytes = spare > heads ? spare - heads : 0;
    /* Few messages fill a piece if none may be cut: a larger one gets a chunk to its measure. */
    if (c->kind->conf->keeps_messages && room > OUTQ_PIECE / WHOLE_SHARE)
        bytes = room;
    return chunk_new_exact(chunks, bytes > room ? (size_t)bytes : room);
}

uint32_t conn_tail_room(const struct conn *c)
{
    const struct conn_out *out = c->out;
    bool is_last = out->tail && (c->kind->conf->is_bulk || out->tail == out->queue.last.chunk);
    return is_last ? out->tail->cap - out->tail->len : 0;
}

void conn_drop_unused_tail(struct conn *c)
{
    struct conn_out *out = c->out;
    if (c->kind->conf->is_bulk || out->tail == out->queue.last.chunk)
        return;
    chunk_unref(out->tail);
    out->tail = NULL;
}

static struct chunk *tail_with_room(struct conn *c, size_t room)
{
    struct conn_out *out = conn_out_of(c);
    if (out->tail && conn_tail_room(c) >= room)
        return out->tail;
    chunk_unref(out->tail);
    out->tail = new_tail(c, room);
    return out->tail;
}

static void append(struct conn *c, struct chunk *to, const void *at, size_t len, bool is_message)
{
    uint32_t off = to->len;
    memcpy(to->at + off, at, len);
    to->len += (uint32_t)len;
    add(c, to, off, (uint32_t)len, is_message);
}

/* Copies to chunks of its own what may have to wait for long: a piece each, unless it is to stay
 * one message. */
static void append_own(struct conn *c, const uint8_t *at, size_t len, bool is_message)
{
    bool is_whole = c->kind->conf->keeps_messages || c->kind->conf->is_bulk;
    while (len > 0) {
        size_t room = c->out ? conn_tail_room(c) : 0;
        size_t most = is_whole ? len : room > 0 ? room : OUTQ_PIECE;
        size_t n = len < most ? len : most;
        append(c, tail_with_room(c, n), at, n, is_message);
        at += n;
        len -= n;
    }
}

static bool is_worth_holding(const struct conn *c, const struct chunk *chunk, uint32_t len)
{
    return chunk->cap - len <= len / UNUSED_SHARE &&
           (!c->out || c->out->queue.bytes == 0 || chunk->held <= conn_spare(c));
}

void conn_queue_admitted(struct conn *c, struct chunk *chunk, uint32_t off, uint32_t len)
{
    if (UNLIKELY(c->flags & CONN_STALLED) && !is_worth_holding(c, chunk, len))
        append_own(c, chunk->at + off, len, true);
    else
        add(c, chunk, off, len, true);
}

int conn_queue(struct conn *c, struct chunk *chunk, uint32_t off, uint32_t len)
{
    int rc = conn_admits(c, len);
    if (LIKELY(rc == 0))
        conn_queue_admitted(c, chunk, off, len);
    return rc;
}

int conn_send(struct conn *c, struct span bytes)
{
    int rc = conn_admits(c, bytes.len);
    if (rc < 0 || bytes.len == 0)
        return rc;
    if (bytes.len > INT32_MAX)
        return GW_ETOOBIG;
    if (c->kind->conf->is_bulk || c->flags & CONN_STALLED)
        append_own(c, bytes.at, bytes.len, false);
    else
        append(c, conn_pool_scratch(pool_of(c), bytes.len), bytes.at, bytes.len, false);
    return 0;
}

uint8_t *conn_reserve(struct conn *c, size_t n)
{
    if (c->flags & (CONN_CLOSING | CONN_DEAD))
        return NULL;
    struct chunk *tail = tail_with_room(c, n);
    return tail->at + tail->len;
}

void conn_commit_quietly(struct conn *c, size_t n)
{
    struct chunk *tail = c->out->tail;
    outq_add(&c->out->queue, &pool_of(c)->rings, tail, tail->len, (uint32_t)n);
    tail->len += (uint32_t)n;
}

void conn_commit(struct conn *c, size_t n)
{
    conn_commit_quietly(c, n);
    conn_push(c);
}

void conn_want_drain(struct conn *c, uint64_t low_bytes)
{
    if (c->flags & CONN_DEAD)
        return;
    struct conn_out *out = conn_out_of(c);
    out->drain_low = low_bytes < UINT32_MAX ? (uint32_t)low_bytes : UINT32_MAX;
    c->flags |= CONN_WANTS_DRAIN;
    if (conn_queued(c) <= out->drain_low)
        conn_mark_dirty(c);
}

/* --- flushing --- */

/* The kernel takes no more, and the rest may wait for long. */
static void stall(struct conn *c, unsigned wants)
{
    c->flags |= CONN_STALLED;
    c->write_wants = (uint8_t)wants;
    struct outq *queue = &c->out->queue;
    if (c->kind->conf->is_bulk || queue->bytes == 0)
        return;
    if (conn_should_compact(c) && c->kind->conf->keeps_messages)
        outq_compact_each(queue, pool_of(c)->chunks);
    else if (conn_should_compact(c))
        outq_compact(queue, &pool_of(c)->rings, pool_of(c)->chunks);
    conn_drop_unused_tail(c);
}

static size_t iov_bytes(const struct iovec *iov, int iov_n)
{
    size_t bytes = 0;
    for (int i = 0; i < iov_n; i++)
        bytes += iov[i].iov_len;
    return bytes;
}

/* Returns 0 when all is written or the peer is slow, or the error. */
static int write_out(struct conn *c)
{
    struct iovec *iov = pool_of(c)->iov;
    struct outq *queue = &c->out->queue;
    while (queue->bytes) {
        unsigned wants = LOOP_WRITE;
        int iov_n = outq_iov(queue, iov, IOV_MAX_N);
        size_t asked = iov_n == 1 ? iov->iov_len : iov_bytes(iov, iov_n);
        ssize_t n = c->kind->transport->writev(c->transport_state, c->watch.fd, iov, iov_n, &wants);
        if (n < 0 && n != -EAGAIN)
            return (int)n;
        size_t written = n < 0 ? 0 : (size_t)n;
        outq_consume(queue, &pool_of(c)->rings, written);
        c->written_bytes += written;
        pool_of(c)->counts.written_bytes += written;
        if (written < asked) {
            stall(c, wants);
            return 0;
        }
    }
    chunk_unref(c->out->tail);
    c->out->tail = NULL;
    return 0;
}

/* The same for the file behind the queue. */
static int write_file(struct conn *c)
{
    unsigned wants = LOOP_WRITE;
    if (c->out->queue.bytes || !c->out->file)
        return 0;
    int rc = conn_file_write(c, &wants);
    if (rc == -EAGAIN) {
        stall(c, wants);
        return 0;
    }
    return rc;
}

void conn_flush(struct conn *c)
{
    if (c->flags & (CONN_DEAD | CONN_STALLED))
        return;
    int rc = c->out ? write_out(c) : 0;
    if (rc == 0 && c->out)
        rc = write_file(c);
    if (rc < 0) {
        conn_kill(c, rc, 0);
        return;
    }
    conn_watch_what_is_useful(c);
    if (c->flags & CONN_CLOSING) {
        if (conn_queued(c))
            return;
        c->kind->transport->shutdown(c->transport_state, c->watch.fd);
        conn_kill(c, c->why, c->flags & CONN_AT_END ? 0 : CONN_LINGERS);
    } else if (c->flags & CONN_WANTS_DRAIN && conn_queued(c) <= c->out->drain_low) {
        c->flags &= (uint16_t)~CONN_WANTS_DRAIN;
        if (c->kind->events->on_drain)
            c->kind->events->on_drain(c, c->owner);
    }
    conn_out_give_unused(c);
}

int conn_write_early(struct conn *c)
{
    if (c->flags & CONN_STALLED || !c->out)
        return 0;
    int rc = write_out(c);
    if (rc < 0) {
        conn_kill(c, rc, 0);
        return GW_ECLOSED;
    }
    conn_watch_what_is_useful(c);
    return 0;
}

void conn_write_now(struct conn *c)
{
    if (conn_is_pushed(c))
        conn_flush(c);
}
