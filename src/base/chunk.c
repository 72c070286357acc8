/* Counted blocks of output bytes and the pool that standard ones return to. */
#include "base/chunk.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"

struct chunk_pool {
    struct vec idle;
    size_t idle_max_n;
    size_t bytes;    /* of all chunks that exist, free ones included */
    size_t chunks_n; /* in use */
};

_Static_assert(sizeof(struct chunk) + CHUNK_STD <= 1 << 16, "a chunk and its head fill 64 KiB");

struct chunk_pool *chunk_pool_new(size_t idle_max_n)
{
    struct chunk_pool *p = mem_zalloc(sizeof *p);
    p->idle_max_n = idle_max_n;
    return p;
}

static void release(struct chunk_pool *p, struct chunk *c)
{
    p->bytes -= c->held;
    mem_free(c);
}

void chunk_pool_free(struct chunk_pool *p)
{
    if (!p)
        return;
    if (p->chunks_n)
        log_fatal("chunk_pool_free: %zu chunks are still in use", p->chunks_n);
    struct chunk *c;
    while ((c = vec_pop(&p->idle)))
        release(p, c);
    vec_fini(&p->idle);
    mem_free(p);
}

size_t chunk_pool_bytes(const struct chunk_pool *p)
{
    return p->bytes;
}

static struct chunk *allocate(struct chunk_pool *p, size_t cap)
{
    if (cap > INT32_MAX)
        log_fatal("chunk_new: %zu bytes do not fit one chunk", cap);
    struct chunk *c = mem_alloc(sizeof *c + cap);
    c->cap = (uint32_t)cap;
    c->held = (uint32_t)mem_held(c);
    c->pool = p;
    p->bytes += c->held;
    return c;
}

static struct chunk *hand_out(struct chunk_pool *p, struct chunk *c)
{
    c->refs_n = 1;
    c->len = 0;
    p->chunks_n++;
    return c;
}

struct chunk *chunk_new(struct chunk_pool *p, size_t room)
{
    struct chunk *c = room <= CHUNK_STD ? vec_pop(&p->idle) : NULL;
    if (!c)
        c = allocate(p, room <= CHUNK_STD ? CHUNK_STD : room);
    return hand_out(p, c);
}

struct chunk *chunk_new_exact(struct chunk_pool *p, size_t room)
{
    return hand_out(p, allocate(p, room));
}

size_t chunk_held_max(size_t room)
{
    return mem_held_max(sizeof(struct chunk) + room);
}

void chunk_recycle(struct chunk *c)
{
    struct chunk_pool *p = c->pool;
    p->chunks_n--;
    if (c->cap == CHUNK_STD && p->idle.len < p->idle_max_n)
        vec_push(&p->idle, c);
    else
        release(p, c);
}
