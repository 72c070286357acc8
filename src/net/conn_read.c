/* A connection's input: one shared buffer for all, memory of its own only for unused rests. */
#include <errno.h>
#include <string.h>

#include <gw/err.h>

#include "base/mem.h"
#include "net/conn_internal.h"

_Static_assert(sizeof(struct leftover) + LEFTOVER_SMALL_CAP == 512,
               "small leftovers fill 512 bytes");

static struct leftover *leftover_new(struct conn_pool *p, size_t room)
{
    struct leftover *l;
    size_t cap = LEFTOVER_SMALL_CAP;
    if (room <= cap) {
        l = pool_take(p->small_leftovers);
    } else {
        cap = room;
        l = mem_try_alloc(sizeof *l + cap); /* the peer decides how much it sends at once */
        if (!l)
            return NULL;
    }
    *l = (struct leftover){.cap = cap};
    return l;
}

static void leftover_free(struct conn_pool *p, struct leftover *l)
{
    if (l && l->cap == LEFTOVER_SMALL_CAP)
        pool_give(p->small_leftovers, l);
    else
        mem_free(l);
}

void conn_drop_leftover(struct conn *c)
{
    leftover_free(pool_of(c), c->leftover);
    c->leftover = NULL;
}

/* A leftover of this connection with room for `room` more bytes behind its content, which moves to
 * its front. false without memory. */
static bool leftover_reserve(struct conn *c, size_t room)
{
    struct leftover *old = c->leftover;
    size_t len = old ? old->len : 0;
    if (old && old->cap - old->off - len >= room)
        return true;
    if (old && old->cap - len >= room && old->off >= len) {
        memcpy(old->at, old->at + old->off, len);
        old->off = 0;
        return true;
    }
    struct leftover *grown = leftover_new(pool_of(c), len + room);
    if (!grown)
        return false;
    if (len)
        memcpy(grown->at, old->at + old->off, len);
    grown->len = len;
    leftover_free(pool_of(c), old);
    c->leftover = grown;
    return true;
}

/* Keeps the rest that on_bytes did not use; `at` is in the shared buffer or in the leftover. */
static int keep_rest(struct conn *c, const uint8_t *at, size_t rest)
{
    struct leftover *l = c->leftover;
    if (rest == 0) {
        conn_drop_leftover(c);
        return 0;
    }
    if (c->kind->conf->in_max_bytes && rest > c->kind->conf->in_max_bytes && c->paused_n == 0)
        return GW_ETOOBIG;
    if (l && at >= l->at && at < l->at + l->cap) {
        l->off = (size_t)(at - l->at);
        l->len = rest;
        return 0;
    }
    if (l)
        l->off = l->len = 0;
    if (!leftover_reserve(c, rest))
        return -ENOMEM;
    l = c->leftover;
    memcpy(l->at + l->off, at, rest);
    l->len = rest;
    return 0;
}

static void feed(struct conn *c, uint8_t *at, size_t len)
{
    ssize_t used = c->kind->events->on_bytes(c, c->owner, at, len);
    if (c->flags & CONN_DEAD)
        return;
    int rc = used < 0 ? (int)used : 0;
    if (rc == 0 && !(c->flags & CONN_CLOSING))
        rc = keep_rest(c, at + used, len - (size_t)used);
    if (rc < 0)
        conn_close_for(c, rc);
    if (c->flags & CONN_CLOSING)
        conn_drop_leftover(c);
}

/* Where to read to, behind what is kept already, so that on_bytes sees one run. A short rest is
 * copied to the front of the shared buffer; a long one would be copied again and again there. */
static uint8_t *place_to_read(struct conn *c, size_t *kept, size_t *room)
{
    struct leftover *l = c->leftover;
    *kept = l ? l->len : 0;
    if (*kept <= LEFTOVER_COPY_MAX) {
        if (l)
            memcpy(pool_of(c)->shared, l->at + l->off, *kept);
        *room = READ_SHARED_BYTES - *kept;
        return pool_of(c)->shared;
    }
    if (!leftover_reserve(c, *kept)) /* doubles */
        return NULL;
    l = c->leftover;
    *room = l->cap - l->off - l->len;
    return l->at + l->off;
}

/* Returns whether there may be more to read. */
static bool read_once(struct conn *c)
{
    unsigned wants = LOOP_READ;
    size_t kept, room;
    uint8_t *at = place_to_read(c, &kept, &room);
    ssize_t n = -ENOMEM;
    if (at)
        n = c->kind->transport->read(c->transport_state, c->watch.fd, at + kept, room, &wants);
    if (n == 0) {
        c->flags |= CONN_AT_END;
        conn_close_for(c, GW_ECLOSED);
        return false;
    }
    if (n < 0 && n != -EAGAIN) {
        conn_kill(c, (int)n, 0);
        return false;
    }
    /* The kernel tells of the end once: it is read for until it is there. */
    bool is_all = n < 0 || ((size_t)n < room && !(c->flags & CONN_ENDS));
    if (is_all && c->read_wants != wants) {
        c->read_wants = (uint8_t)wants;
        conn_watch_what_is_useful(c);
    }
    if (n > 0) {
        c->read_bytes += (uint64_t)n;
        pool_of(c)->counts.read_bytes += (uint64_t)n;
        feed(c, at, kept + (size_t)n);
    }
    return !is_all && conn_is_reading(c);
}

void conn_read(struct conn *c)
{
    bool has_more = conn_is_reading(c);
    for (int i = 0; i < READS_PER_TURN && has_more; i++)
        has_more = read_once(c);
    if (has_more)
        conn_read_next_turn(c);
}

void conn_read_next_turn(struct conn *c)
{
    if (c->flags & (CONN_AGAIN | CONN_DEAD))
        return;
    c->flags |= CONN_AGAIN;
    vec_push(&pool_of(c)->again, c);
    loop_soon(pool_of(c)->loop, &pool_of(c)->read_again);
}

void conn_read_this_turn(struct conn *c)
{
    c->flags |= CONN_FRESH;
    vec_push(&pool_of(c)->fresh, c);
    loop_after_read(pool_of(c)->loop, &pool_of(c)->read_fresh);
}

/* Nothing else would open it: plain TCP has no handshake whose bytes wake us. Who connects has
 * mostly sent its request by now, and then accept, request and answer are one turn, with one write
 * to the worker. */
void conn_read_fresh(struct conn *c)
{
    if (conn_is_opening(c))
        conn_make_progress(c);
    if (conn_is_reading(c))
        conn_read(c);
}

void conn_read_again(struct conn *c)
{
    if (conn_is_opening(c))
        conn_make_progress(c);
    if (conn_is_reading(c) && c->leftover)
        feed(c, c->leftover->at + c->leftover->off, c->leftover->len);
    if (conn_is_reading(c))
        conn_read(c);
}

void conn_pause(struct conn *c)
{
    c->paused_n++;
    conn_watch_what_is_useful(c);
}

void conn_resume(struct conn *c)
{
    if (c->paused_n == 0 || --c->paused_n > 0 || c->flags & CONN_DEAD)
        return;
    if (c->flags & CONN_HUNG_UP) {
        c->flags &= (uint16_t)~CONN_HUNG_UP;
        int rc = watch_start(pool_of(c)->loop, &c->watch, 0);
        if (rc < 0) {
            conn_kill(c, rc, 0);
            return;
        }
    }
    conn_watch_what_is_useful(c);
    conn_read_next_turn(c);
}
