/* In a worker a full link makes its senders wait, because nothing may be lost on the way from one
 * client to another. Here the caller is told instead: an HTTP request is answered in any case. */
#include "web/api_links.h"

#include <gw/err.h>

#include "base/mem.h"

enum {
    STACK_BYTES = 256 * 1024,
    SETTLE_MAX_MS = 2000,
    SETTLE_LOOK_MS = 20,
    REST_MS = 2000, /* a gateway that was late is not waited for again before that */
    LINK_FULL_BYTES = 10 * 1024 * 1024,
    PACKET_MAX_BYTES = 512 * 1024 * 1024, /* sessions of a million clients */
};

struct api_rest {
    struct gateway_at at;
    uint64_t until_ms;
};

static struct api_links *links_of(struct gw *gw)
{
    return CONTAINER_OF(gw, struct api_links, mesh.gw);
}

/* ---- gateways that are late ---- */

static struct api_rest *find_rest(const struct api_links *l, struct gateway_at at)
{
    for (size_t i = 0; i < l->rests_n; i++)
        if (gateway_at_eq(l->rests[i].at, at))
            return &l->rests[i];
    return NULL;
}

static bool is_resting(const struct api_links *l, struct gateway_at at)
{
    const struct api_rest *r = find_rest(l, at);
    return r && r->until_ms > loop_now_ms(l->mesh.loop);
}

/* A place whose time is over, or a new one: there are as many as ever hung at the same time. */
static struct api_rest *free_rest(struct api_links *l)
{
    for (size_t i = 0; i < l->rests_n; i++)
        if (l->rests[i].until_ms <= loop_now_ms(l->mesh.loop))
            return &l->rests[i];
    l->rests = mem_realloc(l->rests, (l->rests_n + 1) * sizeof *l->rests);
    return &l->rests[l->rests_n++];
}

static void let_rest(struct api_links *l, struct gateway_at at)
{
    struct api_rest *r = find_rest(l, at);
    if (!r)
        r = free_rest(l);
    r->at = at;
    r->until_ms = loop_now_ms(l->mesh.loop) + REST_MS;
}

/* ---- the io table ---- */

static int send_or_refuse(struct gw *gw, struct gateway_at to, const struct wire_packet *p)
{
    struct uplink *u = gateways_find(&links_of(gw)->mesh.gateways, to);
    return u && uplink_is_full(u) ? GW_EFULL : mesh_send(gw, to, p);
}

static int settle_at_once(struct gw *gw)
{
    return 0;
}

static void ask(struct gw *gw, const struct wire_packet *p, struct fanout *f)
{
    struct api_links *l = links_of(gw);
    for (size_t i = 0; i < f->n; i++) {
        struct fanout_target *t = &f->targets[i];
        struct uplink *u = gateways_find(&l->mesh.gateways, t->at);
        if (t->rc < 0 || t->is_silent)
            continue;
        if (u && uplink_is_full(u))
            t->rc = GW_EFULL;
        else if (is_resting(l, t->at))
            t->rc = GW_ETIMEOUT;
    }
    mesh_ask(gw, p, f);
    for (size_t i = 0; i < f->n; i++)
        if (f->targets[i].rc == GW_ETIMEOUT && !is_resting(l, f->targets[i].at))
            let_rest(l, f->targets[i].at);
}

static const struct gw_io io = {
    .gateways = mesh_gateways,
    .send = send_or_refuse,
    .publish = mesh_publish,
    .settle = settle_at_once,
    .ask = ask,
    .is_ours = mesh_is_ours,
    .may_have = mesh_may_have,
    .sleep = mesh_sleep,
    .breathe = mesh_breathe,
    .log = mesh_log,
};

/* ---- the links ---- */

static void on_addresses(void *owner, const struct vec *addresses)
{
    struct api_links *l = owner;
    gateways_set_list(&l->mesh.gateways, addresses);
}

static void on_up(struct uplink *u, void *owner)
{
    struct api_links *l = owner;
    if (l->is_closing)
        uplink_close(u);
}

/* A link without a worker key gets none. */
static void on_packet(struct uplink *u, void *owner, const struct wire_packet *p)
{
}

static void on_down(struct uplink *u, void *owner, bool was_up)
{
    struct api_links *l = owner;
    l->on_down(l->owner);
}

static const struct uplink_events link_events = {
    .on_up = on_up, .on_packet = on_packet, .on_down = on_down};

int api_links_open(struct api_links *l, const struct role_env *env, const struct web_conf *conf,
                   const struct peer_tls *tls, void (*on_lost)(void *owner), void *owner)
{
    *l = (struct api_links){.on_down = on_lost, .owner = owner};
    l->mesh.gw.io = &io;
    l->mesh.loop = env->loop;
    l->started_ms = loop_now_ms(env->loop);
    int rc = fibers_init(&l->mesh.fibers, STACK_BYTES, (size_t)conf->api_max_calls);
    if (rc < 0)
        return rc;
    gateways_init(&l->mesh.gateways,
                  &(struct gateways_conf){.conns = env->conns,
                                          .fibers = &l->mesh.fibers,
                                          .secret = conf->registries.secret,
                                          .tls = tls,
                                          .send_max_bytes = LINK_FULL_BYTES,
                                          .packet_max_bytes = PACKET_MAX_BYTES},
                  &link_events, l);
    mesh_join(&l->mesh, env);
    registrars_start(&l->mesh.registrars, env->conns, &conf->registries, tls, on_addresses, l);
    return 0;
}

void api_links_settle(struct api_links *l)
{
    while (!mesh_is_settled(&l->mesh) &&
           loop_now_ms(l->mesh.loop) - l->started_ms < SETTLE_MAX_MS && !l->is_closing)
        if (mesh_sleep(&l->mesh.gw, SETTLE_LOOK_MS) < 0)
            return;
}

void api_links_close(struct api_links *l)
{
    l->is_closing = true;
    registrars_stop(&l->mesh.registrars);
    gateways_close(&l->mesh.gateways);
}
