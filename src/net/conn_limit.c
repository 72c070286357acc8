/* How much output may wait: what is counted against the limit of a connection, and what fits.
 *
 * Of most connections the bytes in the queue are counted, and one message passes below the limit.
 * With limits_memory it is memory: what a queue holds while its peer takes nothing never passes the
 * limit. Until the flush of the turn its bytes are references to what the whole turn shares; they
 * are counted as what they take once they have to wait and are copied. A message that does not fit
 * makes what the turn queued before it leave first, so that only peers that are slow lose any.
 * What a transport keeps beside the queue (held_max_bytes of transport.h) is not in it. */
#include <gw/err.h>

#include "net/conn_internal.h"

/* Whether it is kept whole, wherever it is copied to. */
static bool is_whole(const struct conn *c)
{
    return c->kind->conf->keeps_messages;
}

/* What the queue itself may take. */
static uint64_t queue_max(const struct conn *c)
{
    uint64_t max_bytes = c->kind->conf->out_max_bytes;
    return max_bytes > sizeof(struct conn_out) ? max_bytes - sizeof(struct conn_out) : 0;
}

/* Into how many chunks len bytes are copied. */
static uint64_t pieces_of(const struct conn *c, uint64_t len)
{
    if (len == 0 || is_whole(c))
        return len > 0;
    return (len - 1) / OUTQ_PIECE + 1;
}

/* The most that these take. */
static uint64_t copied(const struct conn *c, uint64_t len)
{
    uint64_t pieces_n = pieces_of(c, len);
    return pieces_n == 1 ? chunk_held_max(len) : len + pieces_n * chunk_held_max(0);
}

uint64_t conn_spare(const struct conn *c)
{
    uint64_t used = c->out->queue.held + outq_ring_growth(&c->out->queue, 1);
    uint64_t max = conn_counts_memory(c) ? queue_max(c) : UINT64_MAX;
    return used < max ? max - used : 0;
}

/* Of a queue that waits, with len more bytes. */
static uint64_t held_with(const struct conn *c, uint64_t len)
{
    const struct outq *queue = &c->out->queue;
    uint64_t room = conn_tail_room(c);
    uint64_t rest = len <= room ? 0 : is_whole(c) ? len : len - room;
    return queue->held + copied(c, rest) + outq_ring_growth(queue, pieces_of(c, rest) + 1);
}

/* Of a queue that is copied, perhaps, with len more bytes. */
static uint64_t packed_with(const struct conn *c, uint64_t len)
{
    static const struct outq none;
    const struct outq *queue = &c->out->queue;
    uint64_t bytes = queue->bytes + len;
    if (!is_whole(c))
        return copied(c, bytes) + outq_ring_growth(&none, pieces_of(c, bytes));
    /* Two neighbours are more than one piece. A large message is rounded up to pages: a 32nd. */
    uint64_t heads = (2 * bytes / OUTQ_PIECE + 1) * chunk_held_max(0) + bytes / 32;
    return bytes + heads + outq_ring_held(queue) + outq_ring_growth(queue, len > 0);
}

/* The usual case, for the walk over the members of a group. */
static bool is_far_below(const struct conn *c, uint64_t len)
{
    const struct conn_conf *conf = c->kind->conf;
    return !(c->flags & CONN_STALLED || conf->keeps_messages || c->out->file) &&
           c->out->queue.bytes + len <= conf->out_max_bytes / 4;
}

static bool memory_has_room(const struct conn *c, uint64_t bytes)
{
    if (LIKELY(is_far_below(c, bytes)))
        return true;
    if (c->out->file)
        return false;
    return (c->flags & CONN_STALLED ? held_with(c, bytes) : packed_with(c, bytes)) <= queue_max(c);
}

/* Of a connection that has output. */
static bool has_room_behind(const struct conn *c, uint64_t bytes)
{
    if (conn_counts_memory(c))
        return memory_has_room(c, bytes);
    return !conn_is_full(c) && bytes <= c->kind->conf->out_max_bytes - c->out->queue.bytes;
}

bool conn_has_room(const struct conn *c, uint64_t bytes)
{
    const struct conn_conf *conf = c->kind->conf;
    if (conf->out_max_bytes == 0)
        return true;
    if (LIKELY(!c->out))
        return bytes <= (conf->limits_memory ? queue_max(c) : conf->out_max_bytes);
    return has_room_behind(c, bytes);
}

bool conn_is_full(const struct conn *c)
{
    const struct conn_out *out = c->out;
    uint64_t max_bytes = c->kind->conf->out_max_bytes;
    if (!out)
        return false;
    if (UNLIKELY(out->file != NULL))
        return true;
    if (max_bytes == 0)
        return false;
    return conn_counts_memory(c) ? out->queue.bytes > 0 && !memory_has_room(c, 1)
                                 : out->queue.bytes >= max_bytes;
}

/* Of a connection that has output. */
static int admits_behind(struct conn *c, uint64_t len)
{
    if (!conn_counts_memory(c))
        return UNLIKELY(conn_is_full(c)) ? GW_EFULL : 0;
    if (LIKELY(memory_has_room(c, len)))
        return 0;
    int rc = conn_write_early(c);
    if (rc < 0)
        return rc;
    bool is_alone = c->out->queue.bytes == 0 && !c->out->file;
    return is_alone || memory_has_room(c, len) ? 0 : GW_EFULL;
}

int conn_admits(struct conn *c, uint64_t len)
{
    if (UNLIKELY(c->flags & (CONN_CLOSING | CONN_DEAD)))
        return GW_ECLOSED;
    return LIKELY(!c->out) ? 0 : admits_behind(c, len);
}

bool conn_should_compact(const struct conn *c)
{
    const struct outq *queue = &c->out->queue;
    uint64_t chunks = queue->held - outq_ring_held(queue);
    if (queue->bytes <= COMPACT_MAX_BYTES && chunks / 2 > queue->bytes + COMPACT_MIN_BYTES)
        return true;
    return conn_counts_memory(c) && queue->held > queue_max(c) && packed_with(c, 0) <= queue_max(c);
}

size_t conn_drop_oldest(struct conn *c, uint64_t len)
{
    if (!c->out || c->flags & (CONN_CLOSING | CONN_DEAD) || conn_has_room(c, len))
        return 0;
    struct outq *queue = &c->out->queue;
    uint64_t needed = copied(c, len), max = queue_max(c);
    if (needed > max || queue->held == 0)
        return 0;
    /* What is full may be the ring: then one message less is enough. */
    uint64_t held_max = max - needed < queue->held ? max - needed : queue->held - 1;
    size_t dropped_n =
        outq_drop_messages(queue, &pool_of(c)->rings, c->kind->transport->held_max_bytes, held_max);
    /* The rest of one that is under way may keep the chunk of all. */
    if (dropped_n > 0 && !conn_has_room(c, len) && packed_with(c, len) <= max)
        outq_compact_each(queue, pool_of(c)->chunks);
    conn_drop_unused_tail(c);
    return dropped_n;
}
