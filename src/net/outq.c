/* The output queue of a connection: references to parts of chunks, in the order they leave. */
#include "net/outq.h"

#include <string.h>

#include "base/mem.h"

/* A ring of power-of-two capacity: RING_MIN << class. */
struct outring {
    uint32_t head;
    uint32_t len;
    uint32_t cap;
    uint32_t class;
    struct outseg at[];
};

enum { RING_MIN = 8, RINGS_IDLE_MAX = 1024 };

static struct outring *ring_new(struct outring_pool *p, uint32_t class)
{
    struct outring *r = class < OUTRING_CLASSES ? vec_pop(&p->idle[class]) : NULL;
    if (!r) {
        size_t cap = (size_t)RING_MIN << class;
        r = mem_alloc(sizeof *r + cap * sizeof r->at[0]);
        r->cap = (uint32_t)cap;
        r->class = class;
    }
    r->head = r->len = 0;
    return r;
}

static void ring_free(struct outring_pool *p, struct outring *r)
{
    /* Few of the large ones: together a class holds at most as much as 1,024 of the smallest. */
    if (r->class < OUTRING_CLASSES && p->idle[r->class].len < (size_t)RINGS_IDLE_MAX >> r->class)
        vec_push(&p->idle[r->class], r);
    else
        mem_free(r);
}

void outring_pool_fini(struct outring_pool *p)
{
    for (size_t class = 0; class < OUTRING_CLASSES; class ++) {
        struct outring *r;
        while ((r = vec_pop(&p->idle[class])))
            mem_free(r);
        vec_fini(&p->idle[class]);
    }
}

static struct outseg *ring_at(struct outring *r, uint32_t pos)
{
    return &r->at[(r->head + pos) & (r->cap - 1)];
}

static struct outring *ring_grow(struct outring_pool *p, struct outring *from)
{
    struct outring *to = ring_new(p, from ? from->class + 1 : 0);
    if (!from)
        return to;
    for (; to->len < from->len; to->len++)
        to->at[to->len] = *ring_at(from, to->len);
    ring_free(p, from);
    return to;
}

void outq_push(struct outq *q, struct outring_pool *p, struct chunk *chunk, uint32_t off,
               uint32_t len, bool is_message)
{
    if (len == 0)
        return;
    if (q->last.chunk) {
        if (!q->ring || q->ring->len == q->ring->cap)
            q->ring = ring_grow(p, q->ring);
        *ring_at(q->ring, q->ring->len++) = q->last;
    }
    q->last = (struct outseg){
        .chunk = chunk_ref(chunk), .off = off & INT32_MAX, .is_message = is_message, .len = len};
}

static struct outseg *front(struct outq *q)
{
    return q->ring ? ring_at(q->ring, 0) : &q->last;
}

static void drop_front(struct outq *q, struct outring_pool *p)
{
    chunk_unref(front(q)->chunk);
    if (!q->ring) {
        q->last = (struct outseg){0};
        return;
    }
    q->ring->head = (q->ring->head + 1) & (q->ring->cap - 1);
    if (--q->ring->len == 0) {
        ring_free(p, q->ring);
        q->ring = NULL;
    }
}

void outq_clear(struct outq *q, struct outring_pool *p)
{
    while (q->last.chunk)
        drop_front(q, p);
    q->bytes = 0;
}

void outq_consume(struct outq *q, struct outring_pool *p, size_t n)
{
    q->bytes -= n;
    while (n > 0) {
        struct outseg *seg = front(q);
        if (n < seg->len) {
            seg->off = (seg->off + (uint32_t)n) & INT32_MAX;
            seg->len -= (uint32_t)n;
            seg->is_message = seg->is_message && n == 0;
            return;
        }
        n -= seg->len;
        drop_front(q, p);
    }
}

/* The ring's first `seen_n` segments have holes: what is left of them moves up to the rest. */
static void close_holes(struct outq *q, struct outring_pool *p, uint32_t seen_n)
{
    struct outring *r = q->ring;
    uint32_t to = seen_n;
    for (uint32_t from = seen_n; from > 0; from--)
        if (ring_at(r, from - 1)->chunk)
            *ring_at(r, --to) = *ring_at(r, from - 1);
    r->head = (r->head + to) & (r->cap - 1);
    r->len -= to;
    if (r->len > 0)
        return;
    ring_free(p, r);
    q->ring = NULL;
}

static void take_out(struct outq *q, struct outseg *seg)
{
    q->bytes -= seg->len;
    chunk_unref(seg->chunk);
    *seg = (struct outseg){0};
}

static void pop_last(struct outq *q, struct outring_pool *p)
{
    take_out(q, &q->last);
    if (!q->ring)
        return;
    q->last = *ring_at(q->ring, --q->ring->len);
    if (q->ring->len > 0)
        return;
    ring_free(p, q->ring);
    q->ring = NULL;
}

size_t outq_drop_messages(struct outq *q, struct outring_pool *p, uint64_t spared_bytes,
                          uint64_t below_bytes)
{
    uint32_t ring_n = q->ring ? q->ring->len : 0, seen_n = 0;
    size_t dropped_n = 0;
    uint64_t at = 0; /* where a segment begins, in bytes before any was taken out */
    for (; seen_n < ring_n && q->bytes >= below_bytes; seen_n++) {
        struct outseg *seg = ring_at(q->ring, seen_n);
        bool is_droppable = seg->is_message && at >= spared_bytes;
        at += seg->len;
        if (!is_droppable)
            continue;
        take_out(q, seg);
        dropped_n++;
    }
    if (dropped_n > 0)
        close_holes(q, p, seen_n);
    if (seen_n == ring_n && q->bytes >= below_bytes && q->last.is_message && at >= spared_bytes) {
        pop_last(q, p);
        dropped_n++;
    }
    return dropped_n;
}

static struct iovec describe(const struct outseg *seg)
{
    return (struct iovec){.iov_base = seg->chunk->at + seg->off, .iov_len = seg->len};
}

int outq_iov(const struct outq *q, struct iovec *iov, int iov_max)
{
    int n = 0;
    for (uint32_t i = 0; q->ring && i < q->ring->len && n < iov_max; i++)
        iov[n++] = describe(ring_at(q->ring, i));
    if (q->last.chunk && n < iov_max)
        iov[n++] = describe(&q->last);
    return n;
}

uint64_t outq_pinned(const struct outq *q)
{
    uint64_t bytes = q->last.chunk ? q->last.chunk->cap : 0;
    const struct chunk *counted = q->last.chunk;
    for (uint32_t i = q->ring ? q->ring->len : 0; i > 0; i--) {
        const struct chunk *chunk = ring_at(q->ring, i - 1)->chunk;
        bytes += chunk != counted ? chunk->cap : 0;
        counted = chunk;
    }
    return bytes;
}

static void move_to(struct outseg *seg, struct chunk *copy)
{
    struct iovec part = describe(seg);
    memcpy(copy->at + copy->len, part.iov_base, part.iov_len);
    chunk_unref(seg->chunk);
    seg->chunk = chunk_ref(copy);
    seg->off = copy->len & INT32_MAX;
    copy->len += seg->len;
}

void outq_compact_each(struct outq *q, struct chunk_pool *chunks)
{
    struct chunk *copy = chunk_new_exact(chunks, q->bytes);
    for (uint32_t i = 0; q->ring && i < q->ring->len; i++)
        move_to(ring_at(q->ring, i), copy);
    if (q->last.chunk)
        move_to(&q->last, copy);
    chunk_unref(copy);
}

void outq_compact(struct outq *q, struct outring_pool *p, struct chunk_pool *chunks)
{
    struct chunk *copy = chunk_new_exact(chunks, q->bytes);
    while (q->last.chunk) {
        struct iovec part = describe(front(q));
        memcpy(copy->at + copy->len, part.iov_base, part.iov_len);
        copy->len += (uint32_t)part.iov_len;
        drop_front(q, p);
    }
    /* The new reference is the queue's. */
    q->last = (struct outseg){.chunk = copy, .off = 0, .len = copy->len};
}
