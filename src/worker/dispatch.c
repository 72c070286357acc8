/* A client is idle, or waits for a coroutine, or has one that works through its queue:
 *
 *     idle --event--> running --queue empty--> idle
 *       \--no coroutine free--> waiting --/
 *
 * so its events can neither overlap nor overtake one another, whatever the callbacks wait for. */
#include "worker/dispatch.h"

#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"

enum { IDLE_EVENTS_MAX = 1024 };

/* ---- events ---- */

static struct event *take_event(struct dispatch *d)
{
    struct event *e = vec_pop(&d->idle_events);

    return e ? e : mem_zalloc(sizeof *e);
}

static void give_event(struct dispatch *d, struct event *e)
{
    event_clear(e);
    if (d->idle_events.len < IDLE_EVENTS_MAX) {
        vec_push(&d->idle_events, e);
        return;
    }
    event_fini(e);
    mem_free(e);
}

/* ---- clients ---- */

/* A client at rest is no object: its place in the table holds the version of the session that this
 * worker wrote, above a lowest bit that no address has. */
_Static_assert(sizeof(uintptr_t) >= 8, "a pointer has room for a checksum and a bit");

static void *rest_of(const struct client *c)
{
    return (void *)((uintptr_t)c->own_session_crc << 1 | 1);
}

static bool is_at_rest(const void *value)
{
    return (uintptr_t)value & 1;
}

static struct client *client_of(struct dispatch *d, struct uplink *u, uint32_t id)
{
    void *known = idmap_get(u->clients, id);
    struct client *c;

    if (known && !is_at_rest(known))
        return known;
    c = pool_take(d->clients);
    c->dispatch = d;
    c->uplink = u;
    c->id = id;
    c->has_own_session = known != NULL;
    c->own_session_crc = (uint32_t)((uintptr_t)known >> 1);
    list_init(&c->queue);
    list_init(&c->waiting);
    idmap_set(u->clients, id, c);
    return c;
}

static bool is_idle(const struct client *c)
{
    return !c->is_running && list_is_empty(&c->queue);
}

static void free_client(struct dispatch *d, struct client *c)
{
    list_remove(&c->waiting);
    if (c->uplink)
        idmap_remove(c->uplink->clients, c->id);
    pool_give(d->clients, c);
}

/* Its last event is finished. */
static void let_rest(struct dispatch *d, struct client *c)
{
    if (c->is_gone || !c->uplink || !c->has_own_session) {
        free_client(d, c);
        return;
    }
    idmap_set(c->uplink->clients, c->id, rest_of(c));
    pool_give(d->clients, c);
}

static void finish_event(struct dispatch *d, struct event *e)
{
    struct client *c = e->client;

    c->is_gone = e->packet.cmd == CMD_ON_CLOSE;
    if (c->uplink)
        c->uplink->done_n++;
    d->done_n++;
    d->in_hand_n--;
    d->bytes_n -= e->bytes.len;
    give_event(d, e);
    if (d->is_full && d->bytes_n < DISPATCH_BYTES_MAX / 2) {
        d->is_full = false;
        d->events->on_room(d->owner);
    }
}

/* On a coroutine: all that the client has in hand, also what comes meanwhile. */
static void work_through(void *arg)
{
    struct client *c = arg;
    struct dispatch *d = c->dispatch;

    while (!list_is_empty(&c->queue)) {
        struct event *e = CONTAINER_OF(c->queue.next, struct event, node);
        list_remove(&e->node);
        d->fibers->event = e;
        d->events->run(d->owner, e);
        if (c->uplink)
            uplink_will_tell(c->uplink);
        finish_event(d, e);
    }
    c->is_running = false;
    d->events->on_client_idle(d->owner, c);
    let_rest(d, c);
    if (!list_is_empty(&d->waiting))
        loop_soon(d->loop, &d->more);
}

static void start_or_wait(struct dispatch *d, struct client *c)
{
    if (d->is_open && fibers_has_room(d->fibers)) {
        c->is_running = true;
        if (fibers_start(d->fibers, work_through, c, NULL) == 0)
            return;
        c->is_running = false;
        log_error("no memory for another coroutine: the events of a client wait");
    }
    list_append(&d->waiting, &c->waiting);
}

static void start_more(struct task *t)
{
    struct dispatch *d = CONTAINER_OF(t, struct dispatch, more);
    struct list ready;

    list_init(&ready);
    list_take_all(&ready, &d->waiting);
    while (!list_is_empty(&ready) && fibers_has_room(d->fibers)) {
        struct client *c = CONTAINER_OF(ready.next, struct client, waiting);
        list_remove(&c->waiting);
        start_or_wait(d, c);
    }
    list_take_all(&ready, &d->waiting); /* those that found no coroutine keep their place in line */
    list_take_all(&d->waiting, &ready);
}

/* ---- the outside ---- */

void dispatch_init(struct dispatch *d, struct loop *l, struct fibers *f,
                   const struct dispatch_events *events, void *owner)
{
    *d = (struct dispatch){.loop = l, .fibers = f, .events = events, .owner = owner};
    d->clients = pool_new(sizeof(struct client));
    d->more.run = start_more;
    list_init(&d->waiting);
}

void dispatch_fini(struct dispatch *d)
{
    task_cancel(d->loop, &d->more);
    for (size_t i = 0; i < d->idle_events.len; i++) {
        event_fini(d->idle_events.at[i]);
        mem_free(d->idle_events.at[i]);
    }
    vec_fini(&d->idle_events);
    pool_free(d->clients);
}

void dispatch_open(struct dispatch *d)
{
    d->is_open = true;
    loop_soon(d->loop, &d->more);
}

void dispatch_packet(struct dispatch *d, struct uplink *u, const struct wire_packet *p)
{
    struct client *c = client_of(d, u, p->connection_id);
    struct event *e = take_event(d);

    if (event_fill(e, c, p) < 0) {
        log_error("no memory for an event of %zu bytes: it is lost", p->body.len);
        give_event(d, e);
        if (is_idle(c))
            let_rest(d, c);
        return;
    }
    d->in_hand_n++;
    d->bytes_n += e->bytes.len;
    list_append(&c->queue, &e->node);
    if (!c->is_running && list_is_empty(&c->waiting))
        start_or_wait(d, c);
    if (d->bytes_n >= DISPATCH_BYTES_MAX) {
        d->is_full = true;
        uplink_pause(u);
    }
}

void dispatch_forget(struct dispatch *d, struct uplink *u)
{
    size_t pos = 0;
    uint64_t id;
    void *value;

    while (idmap_next(u->clients, &pos, &id, &value)) {
        struct client *c = value;
        if (is_at_rest(value))
            continue;
        c->uplink = NULL;
        if (is_idle(c))
            free_client(d, c);
    }
    idmap_free(u->clients);
    u->clients = idmap_new();
}

void dispatch_busy_ids(const struct uplink *u, struct buf *out)
{
    size_t pos = 0;
    uint64_t id;
    void *value;

    while (idmap_next(u->clients, &pos, &id, &value))
        if (!is_at_rest(value) && !is_idle(value))
            buf_put_u32be(out, (uint32_t)id);
}
