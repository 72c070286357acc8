/* The role: puts the parts together, and runs on_start once the gateways are there.
 *
 * Life of a process: connect to registries and the gateways that they list → on_start → ready,
 * events run → drain or stop (leave.c). */
#include "worker/worker.h"

#include <stdio.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "module/build.h"
#include "worker/calls.h"
#include "worker/leave.h"
#include "worker/self.h"

/* Gateways that do not answer hold a start up for that long at most. */
enum { SETTLE_MAX_MS = 2000, SETTLE_LOOK_MS = 20 };

static int worker_count(const void *conf)
{
    const struct worker_conf *c = conf;

    return (int)c->count;
}

static int worker_plan(const struct conf *conf, const struct conf_section *s, int slot,
                       struct role_listen out[ROLE_LISTENERS_MAX], struct buf *errors)
{
    return 0; /* a worker only dials */
}

static const struct module_kind kind = {.symbol = "gw_module", .abi = GW_MODULE_ABI};

static int worker_prepare(const struct conf *conf, const struct conf_section *s,
                          const char *run_dir, unsigned serial, struct buf *artifact)
{
    const struct worker_conf *c = s->conf;
    const struct build b = {.name = worker_name_of(s),
                            .source = conf_path(conf, c->events),
                            .conf = &c->module,
                            .kind = &kind};

    return build_module(&b, run_dir, serial, artifact);
}

/* ---- starting ---- */

static void begin(void *arg)
{
    struct worker *w = arg;

    fibers_show(&w->mesh.fibers, (struct activity_note){.kind = ACTIVITY_ON_START});
    if (w->module->on_start)
        w->module->on_start(&w->mesh.gw);
    if (w->phase != WORKER_STARTING)
        return; /* asked to leave meanwhile */
    w->phase = WORKER_SERVING;
    dispatch_open(&w->dispatch);
    w->env->ready(w->env);
}

static void look_for_gateways(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, starting);
    bool is_settled = mesh_is_settled(&w->mesh);

    if (!is_settled && loop_now_ms(w->env->loop) - w->started_ms < SETTLE_MAX_MS)
        timer_start(w->env->loop, &w->starting, SETTLE_LOOK_MS);
    else if (fibers_start(&w->mesh.fibers, begin, w, NULL) < 0)
        log_fatal("no memory for the coroutine of on_start");
}

/* ---- what the parts tell ---- */

static void on_addresses(void *owner, const struct vec *addresses)
{
    struct worker *w = owner;

    if (w->phase <= WORKER_SERVING)
        gateways_set_list(&w->mesh.gateways, addresses);
}

static void on_up(struct uplink *u, void *owner)
{
    struct worker *w = owner;

    if (w->phase >= WORKER_DRAINING)
        uplink_close(u); /* it was being dialled when the leaving began: no event has come */
}

static void on_packet(struct uplink *u, void *owner, const struct wire_packet *p)
{
    struct worker *w = owner;

    if (p->cmd == CMD_DRAIN_MARK)
        leave_marked(w, u);
    else if (w->phase < WORKER_STOPPING) /* else: cut off, which the gateway counts */
        dispatch_packet(&w->dispatch, u, p);
}

static void on_down(struct uplink *u, void *owner, bool was_up)
{
    struct worker *w = owner;

    dispatch_forget(&w->dispatch, u);
    leave_link_down(w, u);
}

static const struct uplink_events link_events = {
    .on_up = on_up, .on_packet = on_packet, .on_down = on_down};

static void run_event(void *owner, struct event *e)
{
    event_run(owner, e);
}

static void on_client_idle(void *owner, struct client *c)
{
    leave_client_idle(owner, c);
}

static void on_room(void *owner)
{
    struct worker *w = owner;

    for (size_t i = 0; i < w->mesh.gateways.links.len && w->phase != WORKER_STOPPING; i++)
        uplink_resume(w->mesh.gateways.links.at[i]);
}

static const struct dispatch_events dispatch_events = {
    .run = run_event, .on_client_idle = on_client_idle, .on_room = on_room};

/* ---- the process ---- */

/* A new process of the slot must not push the old one out, which still hands its clients over: the
 * same key twice closes the older connection (docs/wire.md §3). */
static char *make_key(const struct role_env *env)
{
    struct buf key = {0};

    buf_printf(&key, "%s:%d", worker_name_of(env->section), env->slot);
    if (env->generation > 1)
        buf_printf(&key, "#%u", env->generation);
    char *text = mem_strdup(buf_cstr(&key));
    buf_fini(&key);
    return text;
}

static int worker_credentials(const struct conf *conf, const struct conf_section *s,
                              struct buf *out, struct buf *errors)
{
    const struct worker_conf *c = s->conf;

    return peer_tls_read(conf, s, &c->registries.tls, out, errors);
}

static int worker_start(struct role_env *env, void **self)
{
    const struct worker_conf *conf = env->section->conf;
    const struct gw_module *module = module_open_or_log(env->artifact, &kind);

    if (!module)
        return GW_EABI;
    struct worker *w = mem_zalloc(sizeof *w);
    w->mesh.gw.io = &worker_io;
    w->mesh.loop = env->loop;
    w->env = env;
    w->conf = conf;
    w->module = module;
    w->worker_key = make_key(env);
    struct span credentials = env->credentials;
    int rc = peer_tls_open(&w->mesh.tls, &conf->registries.tls, &credentials);
    if (rc == 0)
        rc = fibers_init(&w->mesh.fibers, conf->module.stack_bytes,
                         (size_t)conf->module.max_coroutines);
    if (rc < 0)
        goto free_self;
    w->mesh.fibers.activity = env->activity;
    dispatch_init(&w->dispatch, env->loop, &w->mesh.fibers, &dispatch_events, w);
    timers_init(&w->timers, env->loop, &w->mesh.fibers, &w->mesh.gw);
    stores_init(&w->stores, (struct store_host){.loop = env->loop, .fibers = &w->mesh.fibers},
                env->conf);
    gateways_init(
        &w->mesh.gateways,
        &(struct gateways_conf){.conns = env->conns,
                                .fibers = &w->mesh.fibers,
                                .worker_key = w->worker_key,
                                .secret = conf->registries.secret,
                                .tls = &w->mesh.tls,
                                .has_judge = module->on_handshake,
                                .skips_requests = !module->on_websocket_connect,
                                .hears_buffers = module->on_buffer_full || module->on_buffer_drain,
                                .send_max_bytes = conf->send_to_gateway_buffer_size,
                                .packet_max_bytes = conf->max_packet_bytes},
        &link_events, w);
    mesh_join(&w->mesh, env);
    leave_init(w);
    w->starting.fire = look_for_gateways;
    w->started_ms = loop_now_ms(env->loop);
    registrars_start(&w->mesh.registrars, env->conns, &conf->registries, &w->mesh.tls, on_addresses,
                     w);
    timer_start(env->loop, &w->starting, SETTLE_LOOK_MS);
    *self = w;
    return 0;
free_self:
    peer_tls_close(&w->mesh.tls);
    log_error("the worker cannot start: %s", gw_strerror(rc));
    mem_free(w->worker_key);
    mem_free(w);
    return rc;
}

static void worker_drain(void *self)
{
    leave_drain(self);
}

static void worker_stop(void *self)
{
    leave_stop(self);
}

static void worker_status(void *self, struct role_status *out)
{
    const struct worker *w = self;

    out->connections_n = out->links_n = gateways_up_n(&w->mesh.gateways);
    out->requests_n = w->dispatch.done_n;
    out->timers_n = w->timers.n;
    out->queued_bytes = w->dispatch.bytes_n;
    mesh_status(&w->mesh, out);
}

static void worker_connections(void *self, role_connection_fn *row, void *ctx)
{
    const struct worker *w = self;

    mesh_connections(&w->mesh, row, ctx);
}

const struct role worker_role = {
    .kind = "worker",
    .table = &worker_table,
    .sandbox = SANDBOX_MODULE,
    .is_reloadable = true,
    .start_order = ROLE_ORDER_WORKER,
    .count = worker_count,
    .check = worker_check,
    .plan = worker_plan,
    .credentials = worker_credentials,
    .prepare = worker_prepare,
    .start = worker_start,
    .drain = worker_drain,
    .stop = worker_stop,
    .status = worker_status,
    .connections = worker_connections,
};
