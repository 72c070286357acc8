/* One byte-stream connection: birth, handshake, readiness, closing, death. */
#include "net/conn.h"

#include <errno.h>
#include <unistd.h>

#include <gw/err.h>

#include "net/conn_internal.h"
#include "net/sock.h"

void conn_watch_what_is_useful(struct conn *c)
{
    unsigned events = 0;
    if (c->flags & CONN_CONNECTING)
        events = LOOP_WRITE;
    else if (c->flags & CONN_HANDSHAKING)
        events = c->write_wants;
    else
        events = (conn_is_reading(c) ? c->read_wants : 0U) |
                 (c->flags & CONN_STALLED ? c->write_wants : 0U);
    watch_change(pool_of(c)->loop, &c->watch, events);
}

static uint64_t or_default(uint64_t timeout_ms)
{
    return timeout_ms ? timeout_ms : CONN_DEFAULT_MS;
}

static void become_open(struct conn *c)
{
    c->flags &= (uint16_t) ~(CONN_HANDSHAKING | CONN_STALLED);
    c->write_wants = LOOP_WRITE;
    conn_watch_what_is_useful(c);
    if (conn_queued(c) || c->flags & (CONN_CLOSING | CONN_WANTS_DRAIN))
        conn_mark_dirty(c);
    if (c->flags & CONN_CLOSING)
        return; /* with the deadline of closing */
    deadline_clear(&pool_of(c)->deadlines, &c->deadline);
    if (c->kind->transport->has_own_input) /* it may have come with the handshake's last bytes */
        conn_read_next_turn(c);
    if (c->kind->events->on_open)
        c->kind->events->on_open(c, c->owner);
}

void conn_make_progress(struct conn *c)
{
    int rc = 0;
    if (c->flags & CONN_CONNECTING) {
        rc = sock_error(c->watch.fd);
        c->flags &= (uint16_t)~CONN_CONNECTING;
        c->flags |= CONN_HANDSHAKING;
    }
    unsigned wants = LOOP_READ;
    if (rc == 0)
        rc = c->kind->transport->handshake(c->transport_state, c->watch.fd, &wants);
    if (rc == -EAGAIN) {
        c->write_wants = (uint8_t)wants;
        conn_watch_what_is_useful(c);
    } else if (rc < 0) {
        /* GW_EPROTO: the transport has told the peer why, and a reset must not overtake that. */
        conn_kill(c, rc, rc == GW_EPROTO ? CONN_LINGERS : 0);
    } else {
        become_open(c);
    }
}

static void on_ready(struct watch *w, unsigned ready)
{
    struct conn *c = CONTAINER_OF(w, struct conn, watch);
    if (ready & (LOOP_END | LOOP_HANGUP))
        c->flags |= CONN_ENDS;
    if (conn_is_opening(c)) {
        conn_make_progress(c);
        if (conn_is_opening(c) || c->flags & CONN_DEAD)
            return;
    }
    /* The watch keeps asking for writability until the flush knows whether that was enough. */
    if (c->flags & CONN_STALLED && ready & (c->write_wants | (unsigned)LOOP_HANGUP)) {
        c->flags &= (uint16_t)~CONN_STALLED;
        conn_mark_dirty(c);
    }
    if (conn_is_reading(c)) {
        if (ready & (c->read_wants | (unsigned)LOOP_HANGUP))
            conn_read(c);
    } else if (ready & LOOP_HANGUP && c->paused_n) {
        /* The kernel would report it in every turn. Input that came before is read after resuming.
         */
        c->flags |= CONN_HUNG_UP;
        watch_stop(pool_of(c)->loop, &c->watch);
    }
}

/* --- birth --- */

/* A connection that is watched; kind is given back and the rest freed when that fails. */
static struct conn *add(struct conn_kind *kind, int fd, const struct addr *peer,
                        void *transport_state, void *owner, unsigned flags)
{
    struct conn_pool *p = kind->pool;
    size_t room_bytes = kind->events->room_bytes ? kind->events->room_bytes(kind->conf) : 0;
    struct conn *c = conn_pool_take(p, room_bytes);
    uint8_t size_i = c->size_i;
    *c = (struct conn){
        .flags = (uint16_t)(flags | CONN_STALLED),
        .kind = kind,
        .watch = {.fd = fd, .reads_all = true, .on_ready = on_ready},
        .owner = owner,
        .transport_state = transport_state,
        .size_i = size_i,
        .read_wants = LOOP_READ,
        .write_wants = LOOP_READ,
    };
    if (peer)
        c->peer = *peer;
    int rc = watch_start(p->loop, &c->watch, flags & CONN_CONNECTING ? LOOP_WRITE : LOOP_READ);
    if (rc < 0) {
        kind->transport->free(transport_state);
        close(fd);
        conn_kind_give(kind);
        conn_pool_give(p, c);
        errno = -rc;
        return NULL;
    }
    deadline_set(&p->deadlines, &c->deadline, or_default(kind->conf->handshake_timeout_ms));
    return c;
}

struct conn *conn_new(struct conn_pool *p, int fd, const struct addr *peer,
                      const struct transport *transport, void *transport_state,
                      const struct conn_conf *conf, const struct conn_events *events, void *owner)
{
    struct conn *c = add(conn_kind_take(p, conf, events, transport), fd, peer, transport_state,
                         owner, CONN_HANDSHAKING);
    if (c)
        conn_read_this_turn(c);
    return c;
}

struct conn *conn_dial_over(struct conn_pool *p, const struct addr *to,
                            const struct transport *transport, void *transport_state,
                            const struct conn_conf *conf, const struct conn_events *events,
                            void *owner)
{
    int fd = sock_connect(to);
    if (fd < 0) {
        transport->free(transport_state);
        errno = -fd;
        return NULL;
    }
    return add(conn_kind_take(p, conf, events, transport), fd, to, transport_state, owner,
               CONN_CONNECTING);
}

struct conn *conn_dial(struct conn_pool *p, const struct addr *to, const struct conn_conf *conf,
                       const struct conn_events *events, void *owner)
{
    return conn_dial_over(p, to, &plain_transport, NULL, conf, events, owner);
}

void conn_adopt(struct conn *c, const struct conn_conf *conf, const struct conn_events *events,
                void *owner)
{
    struct conn_kind *old = c->kind;
    c->kind = conn_kind_take(old->pool, conf, events, old->transport);
    conn_kind_give(old);
    c->owner = owner;
    conn_set_deadline(c, 0);
    conn_read_next_turn(c);
}

/* --- end --- */

void conn_kill(struct conn *c, int why, unsigned extra_flags)
{
    if (c->flags & CONN_DEAD)
        return;
    if (!(c->flags & CONN_CLOSING))
        c->why = (int16_t)why;
    c->flags |= (uint16_t)(CONN_DEAD | extra_flags);
    if (c->kind->conf->is_unshared && !(extra_flags & CONN_LINGERS))
        watch_forget(&c->watch);
    else
        watch_stop(pool_of(c)->loop, &c->watch);
    deadline_clear(&pool_of(c)->deadlines, &c->deadline);
    conn_out_drop(c);
    vec_push(&pool_of(c)->dead, c);
    loop_at_end(pool_of(c)->loop, &pool_of(c)->bury);
}

static void remove_if(struct vec *v, struct conn *c, unsigned flag)
{
    if (c->flags & flag)
        vec_remove(v, (size_t)vec_find(v, c));
}

void conn_bury(struct conn *c)
{
    struct conn_pool *p = pool_of(c);
    c->kind->transport->free(c->transport_state);
    if (c->flags & CONN_LINGERS)
        lingers_take(&p->lingers, c->watch.fd);
    else
        close(c->watch.fd);
    conn_drop_leftover(c);
    remove_if(&p->dirty, c, CONN_DIRTY);
    remove_if(&p->again, c, CONN_AGAIN);
    remove_if(&p->fresh, c, CONN_FRESH);
    conn_kind_give(c->kind);
    conn_pool_give(p, c);
}

void conn_close_for(struct conn *c, int why)
{
    if (c->flags & (CONN_CLOSING | CONN_DEAD))
        return;
    if (conn_is_opening(c) && conn_queued(c) == 0) {
        conn_kill(c, why, 0);
        return;
    }
    c->why = (int16_t)why;
    c->flags |= CONN_CLOSING;
    conn_watch_what_is_useful(c);
    deadline_set(&pool_of(c)->deadlines, &c->deadline, or_default(c->kind->conf->close_timeout_ms));
    conn_mark_dirty(c);
}

void conn_close(struct conn *c)
{
    conn_close_for(c, 0);
}

void conn_destroy(struct conn *c, int why)
{
    conn_kill(c, why, 0);
}

void conn_set_deadline(struct conn *c, uint64_t delay_ms)
{
    if (conn_is_opening(c) || c->flags & (CONN_CLOSING | CONN_DEAD))
        return;
    if (delay_ms)
        deadline_set(&pool_of(c)->deadlines, &c->deadline, delay_ms);
    else
        deadline_clear(&pool_of(c)->deadlines, &c->deadline);
}

void conn_on_deadline(struct deadlines *all, struct deadline *d)
{
    struct conn *c = CONTAINER_OF(d, struct conn, deadline);
    if (conn_is_opening(c) || c->flags & CONN_CLOSING)
        conn_kill(c, GW_ETIMEOUT, 0);
    else if (c->kind->events->on_deadline)
        c->kind->events->on_deadline(c, c->owner);
}
