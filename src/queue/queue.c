/* One coroutine does everything, one batch after the other: wait for gateways, take orders, carry
 * them out, wait until they have left, acknowledge. So no more is taken than can be sent, and what
 * is acknowledged is on its way. */
#include "queue/queue.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "mesh/mesh.h"
#include "queue/intake.h"
#include "queue/order.h"
#include "queue/queue_conf.h"

enum {
    STACK_BYTES = 256 * 1024,
    PACKET_MAX_BYTES = 128 * 1024 * 1024,
    SETTLE_MAX_MS = 2000,
    SETTLE_LOOK_MS = 20,
    LOOK_MS = 100,       /* between looks at what is awaited: gateways, Redis */
    FLUSH_MAX_MS = 2000, /* a gateway that does not read holds the others up for so long */
    CLOSE_MAX_MS = 1000,
};

struct queue {
    struct mesh mesh;
    struct role_env *env;
    const struct queue_conf *conf;
    struct store_url url;
    struct redis *redis;
    struct intake intake;
    struct timer closing;
    uint64_t done_n;
    uint64_t failed_n;
    bool is_taking; /* waits for orders: Redis may be closed under it */
    bool is_leaving;
    bool is_closing;
    bool is_finished;
};

static const struct gw_io queue_io = {
    .gateways = mesh_gateways,
    .send = mesh_send,
    .publish = mesh_publish,
    .settle = mesh_settle,
    .ask = mesh_ask,
    .may_have = mesh_may_have,
    .sleep = mesh_sleep,
    .breathe = mesh_breathe,
    .log = mesh_log,
};

/* ---- leaving ---- */

static void finish(struct queue *q)
{
    if (q->is_finished)
        return;
    q->is_finished = true;
    timer_stop(q->env->loop, &q->closing);
    mesh_leave(&q->mesh);
    q->env->finished(q->env);
}

static void close_links(struct queue *q)
{
    if (q->is_closing)
        return;
    q->is_closing = true;
    redis_stop(q->redis);
    registrars_stop(&q->mesh.registrars);
    gateways_close(&q->mesh.gateways);
    if (gateways_up_n(&q->mesh.gateways) == 0)
        finish(q);
    else
        timer_start(q->env->loop, &q->closing, CLOSE_MAX_MS);
}

static void on_too_long(struct timer *t)
{
    struct queue *q = CONTAINER_OF(t, struct queue, closing);

    if (q->is_closing)
        finish(q);
    else
        close_links(q);
}

/* What is in hand is finished first. */
static void leave(void *self)
{
    struct queue *q = self;

    if (q->is_leaving)
        return;
    q->is_leaving = true;
    timer_start(q->env->loop, &q->closing, CLOSE_MAX_MS);
    if (q->is_taking)
        redis_stop(q->redis); /* an order that comes just now is found again at the next start */
}

/* ---- orders ---- */

static bool has_gateway(struct queue *q)
{
    const struct addr_book *book;

    return mesh_gateways(&q->mesh.gw, &book) == 0;
}

static void wait_for_gateways(struct queue *q)
{
    static struct log_rate rate;

    if (has_gateway(q))
        return;
    log_limited(&rate, LOG_WARN, "queue %s: no gateway is connected; orders wait", q->conf->key);
    while (!has_gateway(q) && !q->is_leaving)
        (void)mesh_sleep(&q->mesh.gw, LOOK_MS);
}

/* While other gateways are there, those addressed on one that is not are gone with it: sending to
 * somebody who is not there is no error. */
static bool is_done(struct queue *q, int rc)
{
    return rc >= 0 || rc == GW_EPARTIAL ||
           ((rc == GW_ENOGATEWAY || rc == GW_ENOTFOUND) && has_gateway(q));
}

static bool is_hopeless(int rc)
{
    return rc == GW_EPROTO || rc == GW_EBADID || rc == GW_EBADNAME || rc == GW_EUTF8 ||
           rc == GW_ETOOBIG;
}

static void fail(struct queue *q, struct taken *t, int rc)
{
    static struct log_rate rate;

    t->is_failed = true;
    if (t->reason[0] == '\0')
        snprintf(t->reason, sizeof t->reason, "%s", gw_strerror(rc));
    q->failed_n++;
    log_limited(&rate, LOG_WARN, "queue %s: an order is set aside in %s: %s", q->conf->key,
                q->intake.failed_key, t->reason);
}

/* False: it could not be carried out before the process has to end; it stays in hand. */
static bool carry_out(struct queue *q, struct taken *t)
{
    if (t->is_failed) /* so the intake found */
        fail(q, t, GW_EPROTO);
    for (int64_t tries_n = 1; !t->is_failed && t->text.data; tries_n++) {
        wait_for_gateways(q);
        int rc = order_run(&q->mesh.gw, t->text, t->reason);
        if (is_done(q, rc)) {
            q->done_n++;
            return true;
        }
        if (is_hopeless(rc) || (tries_n >= q->conf->tries && has_gateway(q)))
            fail(q, t, rc);
        else if (q->is_leaving)
            return false;
        else
            (void)mesh_sleep(&q->mesh.gw, q->conf->retry_ms);
    }
    return true;
}

/* ---- the coroutine ---- */

/* Until Redis knows it, however long it is away: repeating an order would be worse than waiting. */
static void settle(struct queue *q)
{
    while (intake_settle(&q->intake) < 0) {
        if (q->is_closing)
            return;
        (void)mesh_sleep(&q->mesh.gw, LOOK_MS);
    }
}

static void do_batch(struct queue *q)
{
    static struct log_rate rate;

    q->is_taking = true;
    int rc = intake_take(&q->intake, loop_now_ms(q->env->loop));
    q->is_taking = false;
    if (q->is_leaving)
        return; /* what came just now stays in hand, for the next start */
    if (rc < 0)
        (void)mesh_sleep(&q->mesh.gw, LOOK_MS);
    size_t done_n = 0;
    while (done_n < q->intake.n && carry_out(q, &q->intake.taken[done_n]))
        done_n++;
    q->intake.n = done_n;
    if (done_n == 0)
        return;
    if (!mesh_flush(&q->mesh, FLUSH_MAX_MS))
        log_limited(&rate, LOG_WARN, "queue %s: a gateway does not take what was sent to it",
                    q->conf->key);
    settle(q);
}

static void consume(void *arg)
{
    struct queue *q = arg;
    uint64_t since_ms = loop_now_ms(q->env->loop);

    /* The first order must not go to some of the gateways only. */
    while (!mesh_is_settled(&q->mesh) && loop_now_ms(q->env->loop) - since_ms < SETTLE_MAX_MS &&
           !q->is_leaving)
        (void)mesh_sleep(&q->mesh.gw, SETTLE_LOOK_MS);
    while (!q->is_leaving) {
        wait_for_gateways(q);
        if (!q->is_leaving)
            do_batch(q);
    }
    close_links(q);
}

/* ---- what the mesh tells ---- */

static void on_addresses(void *owner, const struct vec *addresses)
{
    struct queue *q = owner;

    if (!q->is_closing)
        gateways_set_list(&q->mesh.gateways, addresses);
}

static void on_up(struct uplink *u, void *owner)
{
}

/* A gateway sends events to workers only; whatever this is, it is not for us. */
static void on_packet(struct uplink *u, void *owner, const struct wire_packet *p)
{
}

static void on_down(struct uplink *u, void *owner, bool was_up)
{
    struct queue *q = owner;

    if (q->is_closing && gateways_up_n(&q->mesh.gateways) == 0)
        finish(q);
}

static const struct uplink_events link_events = {
    .on_up = on_up, .on_packet = on_packet, .on_down = on_down};

/* ---- the process ---- */

static int count(const void *conf)
{
    const struct queue_conf *c = conf;

    return (int)c->count;
}

static int plan(const struct conf *conf, const struct conf_section *s, int slot,
                struct role_listen out[ROLE_LISTENERS_MAX], struct buf *errors)
{
    return 0; /* it only dials */
}

static char *consumer_name(const struct role_env *env)
{
    const struct queue_conf *c = env->section->conf;
    char host[HOST_NAME_MAX + 1] = "";
    struct buf text = {0};

    if (c->consumer)
        buf_puts(&text, c->consumer);
    else {
        if (gethostname(host, sizeof host - 1) < 0)
            snprintf(host, sizeof host, "host");
        buf_printf(&text, "%s:%s", host, env->section->name[0] ? env->section->name : "queue");
    }
    buf_printf(&text, ":%d", env->slot);
    char *name = mem_strdup(buf_cstr(&text));
    buf_fini(&text);
    return name;
}

static void start_mesh(struct queue *q)
{
    struct role_env *env = q->env;

    q->mesh.gw.io = &queue_io;
    q->mesh.loop = env->loop;
    gateways_init(&q->mesh.gateways,
                  &(struct gateways_conf){.conns = env->conns,
                                          .fibers = &q->mesh.fibers,
                                          .secret = q->conf->registries.secret,
                                          .tls = &q->mesh.tls,
                                          .send_max_bytes = q->conf->send_to_gateway_buffer_size,
                                          .packet_max_bytes = PACKET_MAX_BYTES},
                  &link_events, q);
    mesh_join(&q->mesh, env);
    registrars_start(&q->mesh.registrars, env->conns, &q->conf->registries, &q->mesh.tls,
                     on_addresses, q);
}

static void start_intake(struct queue *q)
{
    struct store_host host = {.loop = q->env->loop, .fibers = &q->mesh.fibers};
    char *consumer = consumer_name(q->env);

    q->redis = redis_open(host, &q->url);
    intake_init(&q->intake, q->conf, q->redis, q->url.timeout_ms, consumer);
    mem_free(consumer);
}

static int credentials(const struct conf *conf, const struct conf_section *s, struct buf *out,
                       struct buf *errors)
{
    const struct queue_conf *c = s->conf;

    return peer_tls_read(conf, s, &c->registries.tls, out, errors);
}

/* New certificates, for links that are made from now on. */
static void reopen(void *self)
{
    struct queue *q = self;
    struct span rest = q->env->credentials;

    if (rest.len > 0 && peer_tls_open(&q->mesh.tls, &q->conf->registries.tls, &rest) < 0)
        log_warn("the old certificates stay in use");
}

static int start(struct role_env *env, void **self)
{
    struct buf error = {0};
    struct span credentials = env->credentials;
    struct queue *q = mem_zalloc(sizeof *q);

    q->env = env;
    q->conf = env->section->conf;
    q->closing.fire = on_too_long;
    int rc = store_url_parse(q->conf->redis, &q->url, &error);
    if (rc == 0)
        rc = peer_tls_open(&q->mesh.tls, &q->conf->registries.tls, &credentials);
    if (rc == 0)
        rc = fibers_init(&q->mesh.fibers, STACK_BYTES, 1);
    if (rc < 0) {
        peer_tls_close(&q->mesh.tls);
        log_error("the queue cannot start: %s", error.len > 0 ? buf_cstr(&error) : gw_strerror(rc));
        buf_fini(&error);
        store_url_fini(&q->url);
        mem_free(q);
        return rc;
    }
    buf_fini(&error);
    start_mesh(q);
    start_intake(q);
    *self = q;
    env->ready(env);
    if (fibers_start(&q->mesh.fibers, consume, q, NULL) < 0)
        log_fatal("no memory for the coroutine of a queue");
    return 0;
}

static void status(void *self, struct role_status *out)
{
    const struct queue *q = self;

    out->connections_n = gateways_up_n(&q->mesh.gateways);
    out->requests_n = q->done_n + q->failed_n;
    out->send_fail_n = q->failed_n;
    out->timers_n = loop_timers_n(q->env->loop);
    mesh_status(&q->mesh, out);
}

static void connections(void *self, role_connection_fn *row, void *ctx)
{
    const struct queue *q = self;

    mesh_connections(&q->mesh, row, ctx);
}

const struct role queue_role = {
    .kind = "queue",
    .table = &queue_table,
    .start_order = ROLE_ORDER_WORKER,
    .count = count,
    .check = queue_check,
    .plan = plan,
    .credentials = credentials,
    .start = start,
    .drain = leave,
    .stop = leave,
    .reopen = reopen,
    .status = status,
    .connections = connections,
};
