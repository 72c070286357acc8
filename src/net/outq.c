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

/* What a chunk adds to `held` as a segment behind one of `before`. */
static uint64_t counted(const struct chunk *chunk, const struct chunk *before)
{
    return chunk && chunk != before ? chunk->held : 0;
}

static void drop_ring(struct outq *q, struct outring_pool *p)
{
    q->held -= mem_held(q->ring);
    ring_free(p, q->ring);
    q->ring = NULL;
}

static void grow_ring(struct outq *q, struct outring_pool *p)
{
    struct outring *from = q->ring, *to = ring_new(p, from ? from->class + 1 : 0);
    for (; from && to->len < from->len; to->len++)
        to->at[to->len] = *ring_at(from, to->len);
    if (from)
        drop_ring(q, p);
    q->ring = to;
    q->held += mem_held(to);
}

uint64_t outq_ring_held(const struct outq *q)
{
    return mem_held(q->ring);
}

uint64_t outq_ring_growth(const struct outq *q, uint64_t n)
{
    uint64_t cap = q->ring ? q->ring->cap : 0, class_cap = RING_MIN;
    uint64_t needed = (q->ring ? q->ring->len : 0) + n; /* one of them may be `last` */
    if (needed <= cap)
        return 0;
    while (class_cap < needed)
        class_cap *= 2;
    return mem_held_max(sizeof *q->ring + class_cap * sizeof q->ring->at[0]) - mem_held(q->ring);
}

void outq_push(struct outq *q, struct outring_pool *p, struct chunk *chunk, uint32_t off,
               uint32_t len, bool is_message)
{
    if (len == 0)
        return;
    if (q->last.chunk) {
        if (!q->ring || q->ring->len == q->ring->cap)
            grow_ring(q, p);
        *ring_at(q->ring, q->ring->len++) = q->last;
    }
    q->held += counted(chunk, q->last.chunk);
    q->last = (struct outseg){
        .chunk = chunk_ref(chunk), .off = off & INT32_MAX, .is_message = is_message, .len = len};
}

static struct outseg *front(struct outq *q)
{
    return q->ring ? ring_at(q->ring, 0) : &q->last;
}

/* Of the ring or, behind it, the last one. */
static struct outseg *seg_at(struct outq *q, uint32_t pos)
{
    return q->ring && pos < q->ring->len ? ring_at(q->ring, pos) : &q->last;
}

/* Of segment pos; NULL behind the end. */
static const struct chunk *chunk_at(const struct outq *q, uint32_t pos)
{
    uint32_t ring_n = q->ring ? q->ring->len : 0;
    if (pos < ring_n)
        return ring_at(q->ring, pos)->chunk;
    return pos == ring_n ? q->last.chunk : NULL;
}

/* The chunk of seg is given back: `before` and `after` are those of its neighbours from now on. */
static void let_go(struct outq *q, struct outseg *seg, const struct chunk *before,
                   const struct chunk *after)
{
    q->held += counted(after, before);
    q->held -= counted(seg->chunk, before) + counted(after, seg->chunk);
    chunk_unref(seg->chunk);
    *seg = (struct outseg){0};
}

static void drop_front(struct outq *q, struct outring_pool *p)
{
    let_go(q, front(q), NULL, chunk_at(q, 1));
    if (!q->ring)
        return;
    q->ring->head = (q->ring->head + 1) & (q->ring->cap - 1);
    if (--q->ring->len == 0)
        drop_ring(q, p);
}

void outq_clear(struct outq *q, struct outring_pool *p)
{
    while (q->last.chunk)
        drop_front(q, p);
    q->bytes = 0;
}

void outq_consume_part(struct outq *q, struct outring_pool *p, size_t n)
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
    if (r->len == 0)
        drop_ring(q, p);
}

/* `last` was taken out. */
static void pull_last(struct outq *q, struct outring_pool *p)
{
    if (!q->ring)
        return;
    q->last = *ring_at(q->ring, --q->ring->len);
    if (q->ring->len == 0)
        drop_ring(q, p);
}

size_t outq_drop_messages(struct outq *q, struct outring_pool *p, uint64_t spared_bytes,
                          uint64_t held_max)
{
    uint32_t ring_n = q->ring ? q->ring->len : 0, seen_n = 0;
    size_t dropped_n = 0;
    uint64_t at = 0; /* where a segment begins, in bytes before any was taken out */
    const struct chunk *before = NULL;
    for (; seen_n <= ring_n && q->held > held_max; seen_n++) {
        struct outseg *seg = seg_at(q, seen_n);
        bool is_droppable = seg->is_message && at >= spared_bytes;
        at += seg->len;
        if (is_droppable) {
            q->bytes -= seg->len;
            let_go(q, seg, before, chunk_at(q, seen_n + 1));
            dropped_n++;
        } else {
            before = seg->chunk;
        }
    }
    if (dropped_n > 0 && ring_n > 0)
        close_holes(q, p, seen_n < ring_n ? seen_n : ring_n);
    if (!q->last.chunk)
        pull_last(q, p);
    return dropped_n;
}

static struct iovec describe(const struct outseg *seg)
{
    return (struct iovec){.iov_base = seg->chunk->at + seg->off, .iov_len = seg->len};
}

int outq_iov_of_all(const struct outq *q, struct iovec *iov, int iov_max)
{
    int n = 0;
    for (uint32_t i = 0; q->ring && i < q->ring->len && n < iov_max; i++)
        iov[n++] = describe(ring_at(q->ring, i));
    if (q->last.chunk && n < iov_max)
        iov[n++] = describe(&q->last);
    return n;
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

/* How many segments from first on fit one piece, and their bytes; at least one. */
static uint32_t piece_of(struct outq *q, uint32_t first, uint64_t *bytes)
{
    uint32_t n = 1;
    *bytes = seg_at(q, first)->len;
    while (chunk_at(q, first + n) && *bytes + seg_at(q, first + n)->len <= OUTQ_PIECE)
        *bytes += seg_at(q, first + n++)->len;
    return n;
}

void outq_compact_each(struct outq *q, struct chunk_pool *chunks)
{
    uint32_t segs_n = (q->ring ? q->ring->len : 0) + (q->last.chunk != NULL);
    q->held = mem_held(q->ring);
    for (uint32_t i = 0, n; i < segs_n; i += n) {
        uint64_t bytes;
        n = piece_of(q, i, &bytes);
        struct chunk *copy = chunk_new_exact(chunks, bytes);
        q->held += copy->held;
        for (uint32_t k = i; k < i + n; k++)
            move_to(seg_at(q, k), copy);
        chunk_unref(copy);
    }
}

void outq_compact(struct outq *q, struct outring_pool *p, struct chunk_pool *chunks)
{
    struct outq from = *q;
    *q = (struct outq){0};
    while (from.bytes > 0) {
        size_t len = from.bytes < OUTQ_PIECE ? (size_t)from.bytes : OUTQ_PIECE;
        struct chunk *copy = chunk_new_exact(chunks, len);
        while (copy->len < len) {
            struct iovec part = describe(front(&from));
            size_t n = part.iov_len < len - copy->len ? part.iov_len : len - copy->len;
            memcpy(copy->at + copy->len, part.iov_base, n);
            copy->len += (uint32_t)n;
            outq_consume(&from, p, n);
        }
        outq_push(q, p, copy, 0, copy->len, false);
        q->bytes += copy->len;
        chunk_unref(copy);
    }
}
