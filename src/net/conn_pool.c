/* What all connections of a loop share: buffers, chunks, and the lists worked off every turn. */
#include "base/log.h"
#include "base/mem.h"
#include "net/conn_internal.h"

/* FLUSH_PASSES: an on_drain callback may queue more, which is flushed at once, but a source that
 * never ends must not hold the turn. */
enum { IDLE_CHUNKS_MAX = 64, FLUSH_PASSES = 8 };

static void drop_first(struct vec *v, size_t n)
{
    for (size_t i = n; i < v->len; i++)
        v->at[i - n] = v->at[i];
    v->len -= n;
}

static void on_flush(struct task *t)
{
    struct conn_pool *p = CONTAINER_OF(t, struct conn_pool, flush);
    size_t pos = 0;
    p->is_flushing = true;
    for (int pass = 0; pass < FLUSH_PASSES && pos < p->dirty.len; pass++) {
        for (size_t end = p->dirty.len; pos < end; pos++) {
            struct conn *c = p->dirty.at[pos];
            c->flags &= (uint16_t)~CONN_DIRTY;
            conn_flush(c);
        }
    }
    p->is_flushing = false;
    drop_first(&p->dirty, pos);
    if (p->dirty.len)
        loop_soon(p->loop, &p->flush_soon);
    loop_at_end(p->loop, &p->tidy);
}

/* After all of the turn's output was queued. */
static void on_tidy(struct task *t)
{
    struct conn_pool *p = CONTAINER_OF(t, struct conn_pool, tidy);
    /* Nobody refers to the scratch chunk any more: begin it again while it is in the cache. */
    if (p->scratch->refs_n == 1)
        p->scratch->len = 0;
    chunk_unref(p->large);
    p->large = NULL;
}

static void on_flush_soon(struct task *t)
{
    struct conn_pool *p = CONTAINER_OF(t, struct conn_pool, flush_soon);
    loop_at_flush(p->loop, &p->flush);
}

static void on_read_again(struct task *t)
{
    struct conn_pool *p = CONTAINER_OF(t, struct conn_pool, read_again);
    size_t n = p->again.len; /* what is added meanwhile is for the next turn */
    for (size_t i = 0; i < n; i++) {
        struct conn *c = p->again.at[i];
        c->flags &= (uint16_t)~CONN_AGAIN;
        if (!(c->flags & CONN_DEAD))
            conn_read_again(c);
    }
    drop_first(&p->again, n);
}

static void on_read_fresh(struct task *t)
{
    struct conn_pool *p = CONTAINER_OF(t, struct conn_pool, read_fresh);
    for (size_t i = 0; i < p->fresh.len; i++) {
        struct conn *c = p->fresh.at[i];
        c->flags &= (uint16_t)~CONN_FRESH;
        if (!(c->flags & CONN_DEAD))
            conn_read_fresh(c);
    }
    p->fresh.len = 0;
}

/* All on_close first, then all memory: a callback may still ask questions about another connection
 * that ended in this turn. on_close may end more of them. */
static void on_bury(struct task *t)
{
    struct conn_pool *p = CONTAINER_OF(t, struct conn_pool, bury);
    for (size_t i = 0; i < p->dead.len; i++) {
        struct conn *c = p->dead.at[i];
        c->kind->events->on_close(c, c->owner, c->why);
    }
    for (size_t i = 0; i < p->dead.len; i++)
        conn_bury(p->dead.at[i]);
    p->dead.len = 0;
}

static size_t size_of(struct conn_pool *p, size_t room_bytes)
{
    size_t i = 0;
    while (i < p->sizes_n && p->sizes[i].room_bytes != room_bytes)
        i++;
    if (i < p->sizes_n)
        return i;
    if (i == CONN_SIZES_MAX)
        log_fatal("conn_pool: connections of more than %d sizes", CONN_SIZES_MAX);
    p->sizes[p->sizes_n++] = (struct conn_size){
        .room_bytes = room_bytes,
        .conns = pool_new(sizeof(struct conn) + room_bytes),
    };
    return i;
}

struct conn *conn_pool_take(struct conn_pool *p, size_t room_bytes)
{
    size_t i = size_of(p, room_bytes);
    struct conn *c = pool_take(p->sizes[i].conns);
    c->size_i = (uint8_t)i;
    return c;
}

void conn_pool_give(struct conn_pool *p, struct conn *c)
{
    c->kind = NULL;
    pool_give(p->sizes[c->size_i].conns, c);
}

static void destroy_all(struct pool *conns)
{
    struct pool_walk walk = {0};
    for (struct conn *c = pool_next(conns, &walk); c; c = pool_next(conns, &walk))
        if (c->kind)
            conn_destroy(c, 0);
}

struct conn_pool *conn_pool_new(struct loop *l)
{
    struct conn_pool *p = mem_zalloc(sizeof *p);
    p->loop = l;
    p->outs = pool_new(sizeof(struct conn_out));
    list_init(&p->kinds);
    p->small_leftovers = pool_new(sizeof(struct leftover) + LEFTOVER_SMALL_CAP);
    p->chunks = chunk_pool_new(IDLE_CHUNKS_MAX);
    p->flush.run = on_flush;
    p->flush_soon.run = on_flush_soon;
    p->read_again.run = on_read_again;
    p->read_fresh.run = on_read_fresh;
    p->bury.run = on_bury;
    p->tidy.run = on_tidy;
    p->scratch = chunk_new(p->chunks, CHUNK_STD);
    deadlines_init(&p->deadlines, l, conn_on_deadline);
    lingers_init(&p->lingers, l);
    return p;
}

void conn_pool_free(struct conn_pool *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->sizes_n; i++)
        destroy_all(p->sizes[i].conns);
    on_bury(&p->bury);
    struct task *tasks[] = {&p->flush,      &p->flush_soon, &p->read_again,
                            &p->read_fresh, &p->bury,       &p->tidy};
    for (size_t i = 0; i < ARRAY_LEN(tasks); i++)
        task_cancel(p->loop, tasks[i]);
    deadlines_fini(&p->deadlines);
    lingers_fini(&p->lingers);
    chunk_unref(p->scratch);
    chunk_unref(p->large);
    outring_pool_fini(&p->rings);
    chunk_pool_free(p->chunks);
    pool_free(p->small_leftovers);
    pool_free(p->outs);
    for (size_t i = 0; i < p->sizes_n; i++)
        pool_free(p->sizes[i].conns);
    vec_fini(&p->dirty);
    vec_fini(&p->again);
    vec_fini(&p->fresh);
    vec_fini(&p->dead);
    buf_fini(&p->buf);
    mem_free(p);
}

struct loop *conn_pool_loop(const struct conn_pool *p)
{
    return p->loop;
}

struct conn_counts conn_pool_counts(const struct conn_pool *p)
{
    return p->counts;
}

size_t conn_pool_len(const struct conn_pool *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->sizes_n; i++)
        n += pool_used_n(p->sizes[i].conns);
    return n - p->dead.len;
}

struct buf *conn_pool_buf(struct conn_pool *p)
{
    buf_clear(&p->buf);
    return &p->buf;
}

struct chunk_pool *conn_pool_chunks(struct conn_pool *p)
{
    return p->chunks;
}

struct chunk *conn_pool_scratch(struct conn_pool *p, size_t room)
{
    if (room > CHUNK_STD) {
        chunk_unref(p->large);
        p->large = chunk_new(p->chunks, room);
        loop_at_end(p->loop, &p->tidy); /* lets go of it */
        return p->large;
    }
    if (p->scratch->cap - p->scratch->len < room) {
        chunk_unref(p->scratch);
        p->scratch = chunk_new(p->chunks, CHUNK_STD);
    }
    return p->scratch;
}
