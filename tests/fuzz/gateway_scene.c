/* A gateway process on a kernel in memory, with the clients, links and registries around it, and
 * what must hold whatever they do. */
#include "fuzz/gateway_scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/idmap.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/gateway.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "proto/wire.h"

enum {
    TURNS_MAX = 2000, /* everything ends long before; else it never does */
    STEP_MS = 100,
    HEARING_TURNS = 40, /* for what waits for links that were deaf */
    WITNESS = SCENE_LINKS_MAX,
    FRAMING_MAX = 64 * 1024, /* what a queue may hold beyond its limit: one message */
};

static const struct {
    const char *lines;
    const char *secret;
    int protocol;
    bool has_proxy;
} variants[] = {
    {"listen = text://127.0.0.1:1\nsend_to_client_buffer_size = 1024\nping_interval = 1\n"
     "ping_data = ping\nsend_to_worker_buffer_size = 65536\n",
     "", SCENE_TEXT, false},
    {"listen = websocket://127.0.0.1:1\nping_interval = 2\nmax_message_bytes = 70000\n"
     "trusted_proxies = 127.0.0.1\nmax_connections_per_address = 3\nmax_messages_per_second = 5\n"
     "worker_grace_ms = 2000\n",
     "", SCENE_WEBSOCKET, false},
    {"listen = websocket://127.0.0.1:1\nauth = worker\non_full = drop_new\nping_interval = 1\n"
     "send_to_client_buffer_size = 2048\nsubprotocol = chat\norigin = https://a\n",
     "key", SCENE_WEBSOCKET, false},
    {"listen = frame://127.0.0.1:1\nmax_connections = 3\nmax_connections_per_address = 2\n"
     "max_session_bytes = 1024\nmax_reply_bytes = 1m\n",
     "key", SCENE_FRAME, false},
    {"listen = text://127.0.0.1:1\nproxy_protocol = true\ntrusted_proxies = 127.0.0.1\n"
     "on_full = drop_new\nsend_to_client_buffer_size = 1024\nhandshake_timeout = 1\n",
     "", SCENE_TEXT, true},
};

unsigned scene_variants_n(void)
{
    return ARRAY_LEN(variants);
}

int scene_protocol(const struct scene *s)
{
    return variants[s->variant].protocol;
}

const char *scene_secret(const struct scene *s)
{
    return variants[s->variant].secret;
}

bool scene_has_proxy(const struct scene *s)
{
    return variants[s->variant].has_proxy;
}

static NORETURN void violated(const char *what, uint64_t number)
{
    fprintf(stderr, "violated: %s (%llu)\n", what, (unsigned long long)number);
    abort();
}

/* ---- the beginning ---- */

/* Of the variant; read once per process, as configs do not change. */
static struct conf *conf_of(unsigned variant)
{
    static struct conf *confs[ARRAY_LEN(variants)];
    if (confs[variant])
        return confs[variant];
    char path[64];
    struct buf errors = {0};
    const struct conf_table *tables[] = {&gateway_conf_table};
    int fd = memfd_create("gateway.conf", MFD_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (fd < 0 ||
        dprintf(fd, "[gateway f]\nsse = false\nregister_address = 127.0.0.1:1236\n%s%s%s\n",
                variants[variant].lines, variants[variant].secret[0] ? "secret_key = " : "",
                variants[variant].secret) < 0 ||
        log_open("/dev/null", LOG_INFO, false) < 0)
        abort();
    if (conf_load(path, tables, 1, &errors, &confs[variant]) < 0) {
        fputs(buf_cstr(&errors), stderr);
        abort();
    }
    close(fd);
    buf_fini(&errors);
    return confs[variant];
}

static void on_ready(struct role_env *env)
{
}

static void on_finished(struct role_env *env)
{
    CONTAINER_OF(env, struct scene, env)->is_finished = true;
}

void scene_begin(struct scene *s, unsigned variant)
{
    *s = (struct scene){.variant = variant, .is_exact = true};
    struct conf *conf = conf_of(variant);
    kernel_init();
    s->listeners[0] = kernel_listen(7272);
    s->listeners[1] = kernel_listen(2300);
    s->env = (struct role_env){.loop = loop_new(),
                               .conf = conf,
                               .section = conf_section_at(conf, 0),
                               .role = &gateway_role,
                               .listen_fds = s->listeners,
                               .listen_fds_n = 2,
                               .ready = on_ready,
                               .finished = on_finished};
    s->env.conns = conn_pool_new(s->env.loop);
    void *self;
    if (gateway_role.start(&s->env, &self) < 0)
        abort();
    s->gateway = self;
}

/* ---- what must hold ---- */

static size_t check_memberships(const struct groups *gs, const struct client *c)
{
    size_t n = 0;
    for (const struct membership *m = groups_of(gs, c, NULL); m; m = groups_of(gs, c, m), n++)
        if (m->client != c || roster_slots(&m->group->members)[m->pos] != c)
            violated("a client is not where its group has it", c->id);
    return n;
}

static void check_groups(const struct gateway *g, const struct groups *gs)
{
    uint32_t client_pos = 0;
    size_t memberships_n = 0, members_n = 0, pos = 0;
    for (struct client *c = roster_next(&g->clients.all, &client_pos); c;
         c = roster_next(&g->clients.all, &client_pos))
        memberships_n += check_memberships(gs, c);
    for (struct group *group = groups_next(gs, &pos); group; group = groups_next(gs, &pos)) {
        if (group->members.live_n == 0)
            violated("a group has nobody in it", pos);
        members_n += group->members.live_n;
    }
    if (members_n != memberships_n)
        violated("groups do not add up to their members", members_n);
}

static void check_queues(const struct gateway *g)
{
    uint32_t pos = 0;
    for (struct client *c = roster_next(&g->clients.all, &pos); c;
         c = roster_next(&g->clients.all, &pos)) {
        uint64_t queued = conn_queued(chan_conn(c->chan));
        if (queued > g->conf->send_to_client_buffer_size + FRAMING_MAX)
            violated("more waits for a client than its buffer holds", queued);
    }
}

static void check_event(struct scene *s, const struct scene_link *l, const struct wire_packet *p)
{
    if (p->cmd != CMD_ON_CONNECT && p->cmd != CMD_ON_MESSAGE && p->cmd != CMD_ON_CLOSE &&
        p->cmd != CMD_ON_WEBSOCKET_CONNECT && p->cmd != CMD_ON_HANDSHAKE)
        return;
    uint32_t id = p->connection_id;
    if (id >= SCENE_IDS_MAX)
        return;
    if (l->is_closed[id])
        violated("an event follows ON_CLOSE", id);
    if (p->cmd == CMD_ON_CONNECT && ++s->connects_n[id] > 1)
        violated("a client connected twice", id);
    if (p->cmd == CMD_ON_CLOSE) {
        l->is_closed[id] = true;
        if (++s->closes_n[id] > 1)
            violated("a client was closed twice", id);
    }
}

/* ---- the turn ---- */

static void hear_link(struct scene *s, struct scene_link *l)
{
    struct buf *heard = cable_heard(l->cable);
    struct wire_packet p;
    ssize_t n = 0;
    cable_set_room(l->cable, FRAMING_MAX);
    if (l->is_mixed || !l->is_worker) {
        buf_clear(heard);
        return;
    }
    while ((n = wire_decode(buf_span(heard), SIZE_MAX, &p)) > 0) {
        check_event(s, l, &p);
        buf_consume(heard, (size_t)n);
    }
    if (n < 0)
        violated("a worker got no packet", heard->len);
}

static void hear(struct scene *s)
{
    for (size_t i = 0; i < SCENE_CLIENTS_MAX; i++) {
        struct scene_client *c = &s->clients[i];
        if (!c->cable || c->is_deaf)
            continue;
        cable_set_room(c->cable, FRAMING_MAX);
        buf_clear(cable_heard(c->cable));
    }
    for (size_t i = 0; i < ARRAY_LEN(s->links); i++)
        if (s->links[i].cable && !s->links[i].is_deaf)
            hear_link(s, &s->links[i]);
}

/* Who was seen off goes. */
static void forget_dead(struct scene *s)
{
    for (size_t i = 0; i < SCENE_CLIENTS_MAX; i++) {
        struct scene_client *c = &s->clients[i];
        if (!c->cable || !cable_is_over(c->cable))
            continue;
        cable_leave(c->cable);
        *c = (struct scene_client){0};
    }
    for (size_t i = 0; i < ARRAY_LEN(s->links); i++)
        if (s->links[i].cable && cable_is_over(s->links[i].cable))
            scene_link_close(s, &s->links[i], false);
}

void scene_turn(struct scene *s)
{
    if (s->is_finished)
        return;
    if (loop_turn(s->env.loop, 0) < 0)
        abort();
    hear(s);
    if (!s->is_finished) {
        check_groups(s->gateway, &s->gateway->groups);
        check_groups(s->gateway, &s->gateway->uids);
        check_queues(s->gateway);
    }
    forget_dead(s);
}

void scene_link_close(struct scene *s, struct scene_link *l, bool is_reset)
{
    if (l->is_worker)
        s->is_exact = false;
    if (is_reset)
        cable_reset(l->cable);
    else
        cable_leave(l->cable);
    mem_free(l->is_closed);
    *l = (struct scene_link){0};
}

/* ---- the end ---- */

static void pass(struct scene *s)
{
    kernel_pass(STEP_MS);
    for (struct cable *c = kernel_dialled(); c; c = kernel_dialled())
        cable_answer(c, true);
    scene_turn(s);
}

/* A worker that is there to the end. */
static void add_witness(struct scene *s)
{
    struct scene_link *l = &s->links[WITNESS];
    char greeting[128];
    struct buf bytes = {0};
    l->cable = kernel_dial(s->listeners[1], 50000);
    if (!l->cable)
        abort();
    l->is_worker = true;
    l->is_closed = mem_zalloc(SCENE_IDS_MAX);
    snprintf(greeting, sizeof(greeting),
             "{\"worker_key\":\"witness\",\"secret_key\":\"%s\",\"gatehouse\":1}", scene_secret(s));
    wire_put(&bytes, &(struct wire_packet){.cmd = CMD_WORKER_CONNECT,
                                           .flag = WIRE_SCALAR,
                                           .body = span_str(greeting)});
    cable_say(l->cable, bytes.at, bytes.len);
    buf_fini(&bytes);
}

static void see_clients_off(struct scene *s)
{
    for (size_t i = 0; i < SCENE_CLIENTS_MAX; i++) {
        s->clients[i].is_deaf = false;
        if (s->clients[i].cable)
            cable_end(s->clients[i].cable);
    }
    for (int i = 0; i < TURNS_MAX &&
                    (clients_len(&s->gateway->clients) > 0 || route_queued_bytes(s->gateway) > 0);
         i++)
        pass(s);
    const struct gateway *g = s->gateway;
    if (clients_len(&g->clients) + groups_len(&g->groups) + groups_len(&g->uids) +
            idmap_len(g->addresses.by_holder) + route_queued_bytes(g) >
        0)
        violated("something is left of clients that are gone", clients_len(&g->clients));
    for (uint32_t id = 0; s->is_exact && g->counts.dropped_n == 0 && id < SCENE_IDS_MAX; id++)
        if (s->connects_n[id] != s->closes_n[id])
            violated("a worker saw a client come and not go", id);
}

static void end_gateway(struct scene *s, bool is_drained)
{
    if (is_drained)
        gateway_role.drain(s->gateway);
    for (int i = 0; is_drained && i < 10; i++)
        pass(s);
    if (!s->is_finished)
        gateway_role.stop(s->gateway);
    for (int i = 0; i < TURNS_MAX && !s->is_finished; i++)
        pass(s);
    if (!s->is_finished)
        violated("the gateway does not end", 0);
}

static bool is_anything_unsent(struct gateway *g)
{
    for (struct list *n = g->inner.peers.next; n != &g->inner.peers; n = n->next)
        if (conn_queued(CONTAINER_OF(n, struct peer, node)->conn) > 0)
            return true;
    return false;
}

void scene_end(struct scene *s, bool is_drained)
{
    kernel_set_grain(0);
    kernel_fail_accepts(0, 0);
    for (size_t i = 0; i < SCENE_LINKS_MAX; i++)
        s->links[i].is_deaf = false;
    for (int i = 0; i < HEARING_TURNS; i++)
        pass(s);
    for (int i = 0; i < TURNS_MAX && is_anything_unsent(s->gateway); i++) {
        kernel_pass(1); /* comings and goings are not hurried to a worker */
        scene_turn(s);
    }
    bool was_exact = s->is_exact;
    for (size_t i = 0; i < SCENE_LINKS_MAX; i++) {
        was_exact = was_exact && !s->links[i].is_mixed;
        if (s->links[i].cable)
            scene_link_close(s, &s->links[i], false);
    }
    s->is_exact = was_exact; /* they had heard everything */
    add_witness(s);
    see_clients_off(s);
    end_gateway(s, is_drained);
    if (s->links[WITNESS].cable)
        scene_link_close(s, &s->links[WITNESS], false);
    conn_pool_free(s->env.conns);
    loop_free(s->env.loop);
    kernel_fini();
}
