/* One process, one mesh: the same calls serve business callbacks and consumers of queues. */
#include "mesh/mesh.h"

#include <gw/err.h>
#include <gw/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notices.h"
#include "mesh/query.h"
#include "proc/connection.h"

enum { FLUSH_LOOK_MS = 5 };

static struct mesh *mesh_of(struct gw *gw)
{
    return CONTAINER_OF(gw, struct mesh, gw);
}

bool mesh_is_settled(const struct mesh *m)
{
    return m->registrars.has_list && gateways_are_settled(&m->gateways) &&
           (!m->beyond || beyond_is_settled(m->beyond));
}

void mesh_join(struct mesh *m, const struct role_env *env)
{
    notices_protect(env->notices);
    m->gateways.kind.notices = env->notices;
    m->beyond = beyond_new(env, &m->gateways, &m->fibers);
}

void mesh_leave(struct mesh *m)
{
    beyond_end(m->beyond);
    m->beyond = NULL;
}

static bool is_beyond(const struct mesh *m, struct gateway_at at)
{
    return m->beyond && beyond_has(m->beyond, at);
}

/* ---- the io table ---- */

int mesh_gateways(struct gw *gw, const struct addr_book **out)
{
    struct mesh *m = mesh_of(gw);

    *out = m->beyond ? beyond_book(m->beyond) : &m->gateways.book;
    return (*out)->len > 0 ? 0 : GW_ENOGATEWAY;
}

int mesh_send(struct gw *gw, struct gateway_at to, const struct wire_packet *p)
{
    struct mesh *m = mesh_of(gw);
    struct uplink *u = gateways_find(&m->gateways, to);

    if (u)
        return uplink_send(u, p);
    return is_beyond(m, to) ? beyond_send(m->beyond, to, p) : GW_ENOGATEWAY;
}

int mesh_publish(struct gw *gw, const struct reach *reach, const struct wire_packet *p,
                 const char *const *but_ids, size_t but_n)
{
    struct mesh *m = mesh_of(gw);

    return m->beyond ? beyond_publish(m->beyond, reach, p, but_ids, but_n) : GW_ENOGATEWAY;
}

/* Back-pressure: whoever sends while a link is full waits until it has drained, instead of losing
 * the packet as the original does. The list may change during a wait, so it is walked again. */
int mesh_settle(struct gw *gw)
{
    struct mesh *m = mesh_of(gw);

    if (!fibers_is_inside(&m->fibers))
        return 0;
    for (size_t i = 0; i < m->gateways.links.len; i++) {
        struct uplink *u = m->gateways.links.at[i];
        if (!uplink_is_full(u))
            continue;
        uplink_make_room(u);
        i = SIZE_MAX; /* from the beginning */
    }
    if (m->beyond)
        beyond_make_room(m->beyond);
    return 0;
}

void mesh_ask(struct gw *gw, const struct wire_packet *p, struct fanout *f)
{
    struct mesh *m = mesh_of(gw);
    struct query q;

    query_init(&q, m->loop, &m->fibers);
    for (size_t i = 0; i < f->n; i++) {
        struct uplink *u = gateways_find(&m->gateways, f->targets[i].at);
        if (f->targets[i].rc < 0 || f->targets[i].is_silent)
            continue;
        if (!fibers_is_inside(&m->fibers))
            f->targets[i].rc = GW_ECONTEXT;
        else if (u)
            uplink_ask(u, p, &q, &f->targets[i]);
        else if (!is_beyond(m, f->targets[i].at))
            f->targets[i].rc = GW_ENOGATEWAY;
    }
    if (m->beyond)
        beyond_ask(m->beyond, p, &q, f);
    query_wait(&q);
}

/* A link that is not read from sends its queries over another connection, where nobody knows what
 * was sent on this one. */
bool mesh_is_ours(struct gw *gw, struct gateway_at at)
{
    const struct uplink *u = gateways_find(&mesh_of(gw)->gateways, at);

    return u && u->is_ours && !u->is_paused;
}

bool mesh_may_have(struct gw *gw, struct gateway_at at, enum interest_kind kind, struct span name)
{
    const struct uplink *u = gateways_find(&mesh_of(gw)->gateways, at);

    return !u || uplink_may_have(u, kind, name);
}

/* ---- time ---- */

struct nap {
    struct timer timer;
    struct fibers *fibers;
    struct co *co;
};

static void wake(struct timer *t)
{
    struct nap *n = CONTAINER_OF(t, struct nap, timer);

    fibers_resume(n->fibers, n->co);
}

int mesh_sleep(struct gw *gw, uint64_t ms)
{
    struct mesh *m = mesh_of(gw);
    struct nap nap = {.timer = {.fire = wake}, .fibers = &m->fibers, .co = fibers_self(&m->fibers)};

    if (!nap.co)
        return GW_ECONTEXT;
    /* The loop's clock stands still within a turn and counts whole milliseconds; a sleep is never
     * shorter than asked. */
    uint64_t behind_ms = clock_mono_ms() - loop_now_ms(m->loop);
    timer_start(m->loop, &nap.timer, ms > 0 ? behind_ms + ms + 1 : 0);
    fibers_wait(&m->fibers);
    return 0;
}

/* On the stack of the coroutine that waits; struct gw_waiter points here meanwhile. */
struct pending {
    struct task go_on;
    struct fibers *fibers;
    struct co *co;
};

static void go_on(struct task *t)
{
    struct pending *p = CONTAINER_OF(t, struct pending, go_on);

    fibers_resume(p->fibers, p->co);
}

int mesh_wait(struct gw *gw, struct gw_waiter *w)
{
    struct mesh *m = mesh_of(gw);
    struct pending p = {
        .go_on = {.run = go_on}, .fibers = &m->fibers, .co = fibers_self(&m->fibers)};

    if (!p.co || w->waiting)
        return GW_ECONTEXT;
    if (!w->is_woken) {
        w->waiting = &p;
        fibers_wait(&m->fibers);
        w->waiting = NULL;
    }
    w->is_woken = false;
    return 0;
}

/* In the next turn, so that nobody runs inside the call, and what this turn still brings is there.
 */
void mesh_wake(struct gw *gw, struct gw_waiter *w)
{
    struct pending *p = w->waiting;

    w->is_woken = true;
    if (p)
        loop_soon(mesh_of(gw)->loop, &p->go_on);
}

void mesh_breathe(struct gw *gw)
{
    struct mesh *m = mesh_of(gw);
    struct pending p = {
        .go_on = {.run = go_on}, .fibers = &m->fibers, .co = fibers_self(&m->fibers)};

    if (!p.co)
        return;
    loop_soon(m->loop, &p.go_on);
    fibers_wait(&m->fibers);
}

static bool is_flushed(const struct mesh *m)
{
    for (size_t i = 0; i < m->gateways.links.len; i++)
        if (!uplink_is_flushed(m->gateways.links.at[i]))
            return false;
    return !m->beyond || beyond_is_flushed(m->beyond);
}

/* Output leaves at the end of the turn, so the first look comes after it. */
bool mesh_flush(struct mesh *m, uint64_t max_ms)
{
    uint64_t since_ms = loop_now_ms(m->loop);
    uint64_t pause_ms = 0;

    while (!is_flushed(m)) {
        if (loop_now_ms(m->loop) - since_ms > max_ms || mesh_sleep(&m->gw, pause_ms) < 0)
            return false;
        pause_ms = FLUSH_LOOK_MS;
    }
    return true;
}

/* ---- telling ---- */

void mesh_log(struct gw *gw, bool is_error, const char *fmt, va_list args)
{
    struct buf text = {0};

    buf_vprintf(&text, fmt, args);
    log_write(is_error ? LOG_ERROR : LOG_INFO, "%s", buf_cstr(&text));
    buf_fini(&text);
}

static size_t silent_n(const struct mesh *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->gateways.links.len; i++)
        n += ((const struct uplink *)m->gateways.links.at[i])->pulse.is_silent;
    return n;
}

static size_t interest_bytes(const struct mesh *m)
{
    size_t bytes = 0;

    for (size_t i = 0; i < m->gateways.links.len; i++)
        bytes += holdings_bytes(&((const struct uplink *)m->gateways.links.at[i])->holdings);
    return bytes;
}

void mesh_status(const struct mesh *m, struct role_status *out)
{
    out->unheard_n = silent_n(m);
    out->interest_bytes = interest_bytes(m);
    if (m->beyond)
        beyond_status(m->beyond, out);
}

void mesh_connections(const struct mesh *m, role_connection_fn *row, void *ctx)
{
    for (size_t i = 0; i < m->gateways.links.len; i++) {
        const struct uplink *u = m->gateways.links.at[i];
        if (u->state != UPLINK_UP)
            continue;
        struct role_connection c = connection_row(chan_conn(u->chan), i + 1, "wire");
        if (!row(ctx, &c))
            return;
    }
}
