/* A lost gateway is dialled again after a second as long as a registry lists it. */
#include "mesh/gateways.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* RETRY_MS as the original (GatewayWorker src/BusinessWorker.php, onGatewayClose). A gateway of
 * ours says hello at once; one that has not within HELLO_MS is taken for a PHP one. */
enum { RETRY_MS = 1000, HELLO_MS = 300 };

static void add_up(struct gateways *g, struct uplink *u)
{
    idmap_set(g->up, gateway_at_key(u->at), u);
    addr_book_add(&g->book, u->at);
}

static void rebuild(struct gateways *g)
{
    g->changes_n++;
    addr_book_clear(&g->book);
    idmap_free(g->up);
    g->up = idmap_new();
    for (size_t i = 0; i < g->links.len; i++) {
        struct uplink *u = g->links.at[i];
        if (u->state == UPLINK_UP)
            add_up(g, u);
    }
}

static void on_up(struct uplink *u, void *owner)
{
    struct gateways *g = owner;

    log_info("connected to gateway %s", u->address);
    rebuild(g);
    g->events->on_up(u, g->owner);
}

static void on_packet(struct uplink *u, void *owner, const struct wire_packet *p)
{
    struct gateways *g = owner;

    g->events->on_packet(u, g->owner, p);
}

static void on_down(struct uplink *u, void *owner, bool was_up)
{
    struct gateways *g = owner;

    if (was_up)
        rebuild(g);
    g->events->on_down(u, g->owner, was_up);
    if (g->is_closing)
        return;
    if (u->is_listed)
        uplink_retry(u, RETRY_MS);
    else {
        vec_remove(&g->links, (size_t)vec_find(&g->links, u));
        uplink_free(u);
    }
}

static const struct uplink_events link_events = {
    .on_up = on_up, .on_packet = on_packet, .on_down = on_down};

void gateways_init(struct gateways *g, const struct gateways_conf *conf,
                   const struct uplink_events *events, void *owner)
{
    *g = (struct gateways){.events = events, .owner = owner, .up = idmap_new()};
    uplink_kind_init(&g->kind, conf->packet_max_bytes);
    g->kind.events = &link_events;
    g->kind.owner = g;
    g->kind.conns = conf->conns;
    g->kind.fibers = conf->fibers;
    g->kind.worker_key = conf->worker_key;
    g->kind.secret = conf->secret;
    g->kind.tls = conf->tls;
    g->kind.has_judge = conf->has_judge;
    g->kind.skips_requests = conf->skips_requests;
    g->kind.hears_buffers = conf->hears_buffers;
    g->kind.send_max_bytes = conf->send_max_bytes;
}

static struct uplink *find_text(const struct gateways *g, const char *address)
{
    for (size_t i = 0; i < g->links.len; i++) {
        struct uplink *u = g->links.at[i];
        if (strcmp(u->address, address) == 0)
            return u;
    }
    return NULL;
}

static void add_link(struct gateways *g, const char *address)
{
    struct uplink *u = uplink_new(&g->kind, address);

    u->is_listed = true;
    vec_push(&g->links, u);
    uplink_dial(u);
}

static void drop_waiting(struct gateways *g)
{
    for (size_t i = g->links.len; i-- > 0;) {
        struct uplink *u = g->links.at[i];
        if (u->is_listed || u->state != UPLINK_DOWN)
            continue;
        vec_remove(&g->links, i);
        uplink_free(u);
    }
}

void gateways_set_list(struct gateways *g, const struct vec *addresses)
{
    if (g->is_closing)
        return;
    for (size_t i = 0; i < g->links.len; i++)
        ((struct uplink *)g->links.at[i])->is_listed = false;
    for (size_t i = 0; i < addresses->len; i++) {
        struct uplink *u = find_text(g, addresses->at[i]);
        if (u)
            u->is_listed = true; /* when down, its retry is under way */
        else
            add_link(g, addresses->at[i]);
    }
    drop_waiting(g);
}

struct uplink *gateways_find(const struct gateways *g, struct gateway_at at)
{
    return idmap_get(g->up, gateway_at_key(at));
}

size_t gateways_up_n(const struct gateways *g)
{
    return g->book.len;
}

bool gateways_are_settled(const struct gateways *g)
{
    uint64_t now_ms = loop_now_ms(conn_pool_loop(g->kind.conns));

    for (size_t i = 0; i < g->links.len; i++) {
        const struct uplink *u = g->links.at[i];
        bool is_agreed = u->state == UPLINK_UP && (u->is_ours || now_ms - u->since_ms >= HELLO_MS);
        if (u->is_listed && !is_agreed && !(u->state != UPLINK_UP && u->is_tried))
            return false;
    }
    return true;
}

void gateways_close(struct gateways *g)
{
    g->is_closing = true;
    for (size_t i = 0; i < g->links.len; i++)
        uplink_close(g->links.at[i]);
}
