/* Sends are queued on the links at once and leave at the end of the turn; what must wait suspends
 * the callback that asked. */
#include "worker/calls.h"

#include <gw/err.h>

#include "base/log.h"
#include "worker/self.h"

static struct worker *worker_of(struct gw *gw)
{
    return CONTAINER_OF(gw, struct worker, gw);
}

static const struct worker *worker_of_const(const struct gw *gw)
{
    return (const struct worker *)(const void *)((const char *)gw - offsetof(struct worker, gw));
}

static int known_gateways(struct gw *gw, const struct addr_book **out)
{
    *out = &worker_of(gw)->gateways.book;
    return (*out)->len > 0 ? 0 : GW_ENOGATEWAY;
}

static int send_packet(struct gw *gw, struct gateway_at to, const struct wire_packet *p)
{
    struct uplink *u = gateways_find(&worker_of(gw)->gateways, to);

    return u ? uplink_send(u, p) : GW_ENOGATEWAY;
}

/* Back-pressure: whoever sends while a link is full waits until it has drained, instead of losing
 * the packet as the original does. The list may change during a wait, so it is walked again. */
static int make_room(struct gw *gw)
{
    struct worker *w = worker_of(gw);

    if (!fibers_is_inside(&w->fibers))
        return 0;
    for (size_t i = 0; i < w->gateways.links.len; i++) {
        struct uplink *u = w->gateways.links.at[i];
        if (!uplink_is_full(u))
            continue;
        uplink_make_room(u);
        i = SIZE_MAX; /* from the beginning */
    }
    return 0;
}

static void ask(struct gw *gw, const struct wire_packet *p, struct fanout *f)
{
    struct worker *w = worker_of(gw);
    struct query q;

    query_init(&q, w->env->loop, &w->fibers);
    for (size_t i = 0; i < f->n; i++) {
        struct uplink *u = gateways_find(&w->gateways, f->targets[i].at);
        if (!fibers_is_inside(&w->fibers))
            f->targets[i].rc = GW_ECONTEXT;
        else if (!u)
            f->targets[i].rc = GW_ENOGATEWAY;
        else
            uplink_ask(u, p, &q, &f->targets[i]);
    }
    query_wait(&q);
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

static int nap(struct gw *gw, uint64_t ms)
{
    struct worker *w = worker_of(gw);
    struct nap nap = {.timer = {.fire = wake}, .fibers = &w->fibers, .co = fibers_self(&w->fibers)};

    if (!nap.co)
        return GW_ECONTEXT;
    timer_start(w->env->loop, &nap.timer, ms);
    fibers_wait(&w->fibers);
    return 0;
}

static struct gw_timer *start_timer(struct gw *gw, uint64_t delay_ms, bool is_repeating,
                                    void (*fn)(struct gw *gw, void *arg), void *arg)
{
    return timers_start(&worker_of(gw)->timers, delay_ms, is_repeating, fn, arg);
}

static void stop_timer(struct gw *gw, struct gw_timer *t)
{
    timers_stop(&worker_of(gw)->timers, t);
}

/* ---- the current client ---- */

static struct gw_session *current_session(struct gw *gw, struct client_id id)
{
    struct event *e = worker_of(gw)->fibers.event;

    if (!e || e->packet.cmd == CMD_ON_CLOSE || id.ip != e->packet.local_ip ||
        id.port != e->packet.local_port || id.connection_id != e->packet.connection_id)
        return NULL;
    return &e->session.handle;
}

static const char *current_client(struct gw *gw, struct buf *session)
{
    struct event *e = worker_of(gw)->fibers.event;

    if (!e)
        return NULL;
    session_write(&e->session, session);
    return e->who.id;
}

/* ---- the worker ---- */

static int worker_id(const struct gw *gw)
{
    return worker_of_const(gw)->env->slot;
}

static const char *worker_name(const struct gw *gw)
{
    return worker_name_of(worker_of_const(gw)->env->section);
}

static const char *option(const struct gw *gw, const char *name)
{
    const struct conf_list *options = &worker_of_const(gw)->conf->options;
    size_t len = name ? strlen(name) : 0;

    for (size_t i = 0; len > 0 && i < options->len; i++) {
        const char *text = options->at[i].text;
        if (strncmp(text, name, len) == 0 && text[len] == '=')
            return text + len + 1;
    }
    return NULL;
}

static PRINTF_LIKE(3, 0) void log_line(struct gw *gw, bool is_error, const char *fmt, va_list args)
{
    struct buf text = {0};

    buf_vprintf(&text, fmt, args);
    log_write(is_error ? LOG_ERROR : LOG_INFO, "%s", buf_cstr(&text));
    buf_fini(&text);
}

const struct gw_io worker_io = {
    .gateways = known_gateways,
    .send = send_packet,
    .settle = make_room,
    .ask = ask,
    .sleep = nap,
    .log = log_line,
    .current_session = current_session,
    .current_client = current_client,
    .timer_start = start_timer,
    .timer_stop = stop_timer,
    .worker_id = worker_id,
    .worker_name = worker_name,
    .option = option,
};
