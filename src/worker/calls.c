/* What only a worker has; the rest is mesh/mesh.c. */
#include "worker/calls.h"

#include "worker/self.h"

static struct worker *worker_of(struct gw *gw)
{
    return CONTAINER_OF(gw, struct worker, mesh.gw);
}

static const struct worker *worker_of_const(const struct gw *gw)
{
    return CONTAINER_OF_CONST(gw, struct worker, mesh.gw);
}

/* ---- time ---- */

static struct gw_timer *start_timer(struct gw *gw, uint64_t delay_ms, bool is_repeating,
                                    void (*fn)(struct gw *gw, void *arg), void *arg)
{
    return timers_start(&worker_of(gw)->timers, delay_ms, is_repeating, fn, arg);
}

static void stop_timer(struct gw *gw, struct gw_timer *t)
{
    timers_stop(&worker_of(gw)->timers, t);
}

/* ---- stores ---- */

static struct gw_store *open_store(struct gw *gw, const char *url)
{
    return stores_open(&worker_of(gw)->stores, url);
}

/* ---- the current client ---- */

static struct gw_session *current_session(struct gw *gw, struct client_id id)
{
    struct event *e = worker_of(gw)->mesh.fibers.event;

    if (!e || e->packet.cmd == CMD_ON_CLOSE || id.ip != e->packet.local_ip ||
        id.port != e->packet.local_port || id.connection_id != e->packet.connection_id)
        return NULL;
    return &e->session.handle;
}

static const char *current_client(struct gw *gw, struct buf *session)
{
    struct event *e = worker_of(gw)->mesh.fibers.event;

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
    return module_option(&worker_of_const(gw)->conf->module, name);
}

const struct gw_io worker_io = {
    .gateways = mesh_gateways,
    .send = mesh_send,
    .publish = mesh_publish,
    .settle = mesh_settle,
    .ask = mesh_ask,
    .is_ours = mesh_is_ours,
    .may_have = mesh_may_have,
    .sleep = mesh_sleep,
    .breathe = mesh_breathe,
    .wait = mesh_wait,
    .wake = mesh_wake,
    .log = mesh_log,
    .current_session = current_session,
    .current_client = current_client,
    .timer_start = start_timer,
    .timer_stop = stop_timer,
    .worker_id = worker_id,
    .worker_name = worker_name,
    .option = option,
    .store_open = open_store,
};
