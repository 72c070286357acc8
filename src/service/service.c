/* The role: puts the parts together, and runs on_start before the first connection.
 *
 * Life of a process: on_start → listen, ready → drain or stop (ending.c). */
#include "service/service.h"

#include <stdio.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "module/build.h"
#include "net/tls_conf.h"
#include "proc/connection.h"
#include "proc/listen.h"
#include "service/calls.h"
#include "service/ending.h"
#include "service/handle.h"
#include "service/self.h"

enum { PACKET_MAX_BYTES = 128 * 1024 * 1024, LINK_SEND_MAX_BYTES = 10 * 1024 * 1024 };

static const struct module_kind kind = {.symbol = "gw_service_module", .abi = GW_SERVICE_ABI};

static int service_count(const void *conf)
{
    const struct service_conf *c = conf;

    return (int)c->count;
}

static int service_plan(const struct conf *conf, const struct conf_section *s, int slot,
                        struct role_listen out[ROLE_LISTENERS_MAX], struct buf *errors)
{
    const struct service_conf *c = s->conf;

    (void)slot;
    if (c->listen.len > ROLE_LISTENERS_MAX)
        return conf_complain(conf, s, "listen", errors, "%zu addresses; at most %d are possible",
                             c->listen.len, ROLE_LISTENERS_MAX);
    for (size_t i = 0; i < c->listen.len; i++) {
        int pos = role_listen_parse(conf, s, "listen", c->listen.at[i].text, service_schemes,
                                    &out[i], errors);
        if (pos < 0)
            return GW_ECONF;
        out[i].is_shared = true;
        out[i].is_datagram = pos == SERVICE_UDP;
        out[i].is_public = true;
        out[i].is_tls = tls_conf_is_on(&c->tls) && !out[i].unix_path && pos != SERVICE_UDP;
    }
    return (int)c->listen.len;
}

static int service_credentials(const struct conf *conf, const struct conf_section *s,
                               struct buf *out, struct buf *errors)
{
    const struct service_conf *c = s->conf;

    int rc = tls_conf_read(conf, s, &c->tls, out, errors);
    return peer_tls_read(conf, s, &c->registries.tls, out, errors) < 0 ? GW_ECONF : rc;
}

/* The artifact's name has a part that no worker's has: "echo.service-1.so". */
static int service_prepare(const struct conf *conf, const struct conf_section *s,
                           const char *run_dir, unsigned serial, struct buf *artifact)
{
    const struct service_conf *c = s->conf;
    struct buf name = {0};

    buf_printf(&name, "%s.service", service_name_of(s));
    const struct build b = {.name = buf_cstr(&name),
                            .source = conf_path(conf, c->module_file),
                            .conf = &c->module,
                            .kind = &kind};
    int rc = build_module(&b, run_dir, serial, artifact);
    buf_fini(&name);
    return rc;
}

/* ---- starting ---- */

static int scheme_of(const char *url)
{
    struct span scheme, place;

    for (int i = 0; addr_split_url(span_str(url), &scheme, &place) && service_schemes[i]; i++)
        if (span_eq_nocase(scheme, service_schemes[i]))
            return i;
    return -1;
}

static int listen_all(struct service *s)
{
    for (size_t i = 0; i < s->env->listen_fds_n; i++) {
        int scheme = scheme_of(s->conf->listen.at[i].text);
        int fd = s->env->listen_fds[i];
        int rc = scheme == SERVICE_UDP
                     ? datagrams_open(&s->datagrams[s->datagrams_n++], s, fd)
                     : entry_open(&s->entries[s->entries_n++], s, scheme, fd, s->tls);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void begin(void *arg)
{
    struct service *s = arg;

    fibers_show(&s->mesh.fibers, (struct activity_note){.kind = ACTIVITY_ON_START});
    if (s->module->on_start)
        s->module->on_start(&s->mesh.gw);
    if (s->phase != SERVICE_STARTING)
        return; /* asked to leave meanwhile */
    s->phase = SERVICE_SERVING;
    if (listen_all(s) < 0)
        log_fatal("the service cannot listen");
    tls_context_unref(s->tls);
    s->tls = NULL;
    s->env->ready(s->env);
}

static void begin_now(struct timer *t)
{
    struct service *s = CONTAINER_OF(t, struct service, starting);

    if (fibers_start(&s->mesh.fibers, begin, s, NULL) < 0)
        log_fatal("no memory for the coroutine of on_start");
}

/* ---- links to gateways, for the Gateway API ---- */

static void on_addresses(void *owner, const struct vec *addresses)
{
    struct service *s = owner;

    gateways_set_list(&s->mesh.gateways, addresses);
}

static void on_up(struct uplink *u, void *owner)
{
    (void)u;
    (void)owner;
}

static void on_packet(struct uplink *u, void *owner, const struct wire_packet *p)
{
    (void)u; /* no events come to a link that is no worker's */
    (void)owner;
    (void)p;
}

static void on_down(struct uplink *u, void *owner, bool was_up)
{
    (void)u;
    (void)was_up;
    ending_link_down(owner);
}

static void join_mesh(struct service *s)
{
    static const struct uplink_events events = {
        .on_up = on_up, .on_packet = on_packet, .on_down = on_down};

    gateways_init(&s->mesh.gateways,
                  &(struct gateways_conf){.conns = s->env->conns,
                                          .fibers = &s->mesh.fibers,
                                          .secret = s->conf->registries.secret,
                                          .tls = &s->mesh.tls,
                                          .send_max_bytes = LINK_SEND_MAX_BYTES,
                                          .packet_max_bytes = PACKET_MAX_BYTES},
                  &events, s);
    mesh_join(&s->mesh, s->env);
    registrars_start(&s->mesh.registrars, s->env->conns, &s->conf->registries, &s->mesh.tls,
                     on_addresses, s);
}

/* ---- the process ---- */

static struct gw_conn_events events_of(const struct gw_service_module *m)
{
    return (struct gw_conn_events){.on_message = m->on_message,
                                   .on_close = m->on_close,
                                   .on_buffer_full = m->on_buffer_full,
                                   .on_buffer_drain = m->on_buffer_drain};
}

static int service_start(struct role_env *env, void **self)
{
    const struct service_conf *conf = env->section->conf;
    const struct gw_service_module *module = module_open_or_log(env->artifact, &kind);

    if (!module)
        return GW_EABI;
    struct service *s = mem_zalloc(sizeof *s);
    s->mesh.gw.io = &service_io;
    s->mesh.loop = env->loop;
    s->env = env;
    s->conf = conf;
    s->module = module;
    s->events = events_of(module);
    struct span credentials = env->credentials;
    int rc =
        fibers_init(&s->mesh.fibers, conf->module.stack_bytes, (size_t)conf->module.max_coroutines);
    if (rc == 0)
        rc = tls_conf_open(&conf->tls, &credentials, &s->tls);
    if (rc == 0)
        rc = peer_tls_open(&s->mesh.tls, &conf->registries.tls, &credentials);
    if (rc < 0) {
        tls_context_unref(s->tls);
        peer_tls_close(&s->mesh.tls);
        log_error("the service cannot start: %s", gw_strerror(rc));
        mem_free(s);
        return rc;
    }
    s->mesh.fibers.activity = env->activity;
    s->trusted = door_conf_trusted(&conf->door);
    list_init(&s->accepted);
    list_init(&s->dialled);
    list_init(&s->waiting);
    s->by_id = idmap_new();
    s->more.run = handle_more;
    s->bury.run = handle_free_dead;
    timers_init(&s->timers, env->loop, &s->mesh.fibers, &s->mesh.gw);
    stores_init(&s->stores, (struct store_host){.loop = env->loop, .fibers = &s->mesh.fibers},
                env->conf);
    join_mesh(s);
    ending_init(s);
    s->starting.fire = begin_now;
    timer_start(env->loop, &s->starting, 0);
    *self = s;
    return 0;
}

static void service_drain(void *self)
{
    ending_drain(self);
}

static void service_stop(void *self)
{
    ending_stop(self);
}

static void service_status(void *self, struct role_status *out)
{
    const struct service *s = self;
    size_t used = 0;

    for (size_t i = 0; i < s->conf->listen.len && used < sizeof out->listening; i++)
        used += (size_t)snprintf(out->listening + used, sizeof out->listening - used, "%s%s",
                                 i ? " " : "", s->conf->listen.at[i].text);
    mesh_status(&s->mesh, out);
    out->connections_n = idmap_len(s->by_id);
    out->requests_n = s->requests_n;
    out->send_fail_n = s->send_fail_n;
    out->timers_n = s->timers.n;
    for (struct list *node = s->accepted.next; node != &s->accepted; node = node->next)
        out->queued_bytes += gw_conn_queued(CONTAINER_OF(node, struct gw_conn, node));
}

static bool put_row(const struct gw_conn *h, role_connection_fn *row, void *ctx)
{
    const char *protocol = h->chan ? chan_kind_of(h->chan)->codec->name : "http";
    struct role_connection r = connection_row(h->conn, h->id, protocol);

    if (!gw_conn_is_open(h))
        r.state = "CLOSING";
    return row(ctx, &r);
}

static void service_connections(void *self, role_connection_fn *row, void *ctx)
{
    const struct service *s = self;
    const struct list *lists[] = {&s->accepted, &s->dialled};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (struct list *node = lists[i]->next; node != lists[i]; node = node->next) {
            const struct gw_conn *h = CONTAINER_OF(node, struct gw_conn, node);
            if (h->conn && !put_row(h, row, ctx))
                return;
        }
    mesh_connections(&s->mesh, row, ctx);
}

const struct role service_role = {
    .kind = "service",
    .table = &service_table,
    .sandbox = SANDBOX_MODULE,
    .is_reloadable = true,
    .start_order = ROLE_ORDER_WEB,
    .count = service_count,
    .check = service_check,
    .plan = service_plan,
    .prepare = service_prepare,
    .credentials = service_credentials,
    .start = service_start,
    .drain = service_drain,
    .stop = service_stop,
    .status = service_status,
    .connections = service_connections,
};
