/* The gateway role: starts and ends the parts of one gateway process. */
#include "gateway/gateway.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/gateway_conf.h"
#include "gateway/nats_peer.h"
#include "gateway/state.h"
#include "gateway/table.h"
#include "net/sock.h"

enum {
    ENDING_LOOK_MS = 20,
    STOP_MAX_MS = 1000,  /* below the master's stop_timeout */
    DRAIN_MAX_MS = 5000, /* how long workers may take for what they have in hand */
};

static void gateway_free(struct gateway *g)
{
    timer_stop(g->loop, &g->ending);
    heartbeat_stop(g);
    silence_stop(g);
    retreat_stop(g);
    heartbeat_fini(g);
    registrar_fini(g);
    nats_peer_free(g->nats_peer);
    jobs_fini(g);
    route_fini(g);
    rates_fini(g);
    herald_fini(g);
    interest_fini(&g->interest);
    groups_fini(&g->groups);
    groups_fini(&g->uids);
    clients_fini(&g->clients);
    addr_counts_fini(&g->addresses);
    arrivals_free(g->arrivals);
    receivers_fini(&g->receivers);
    cidr_set_fini(&g->trusted);
    ws_deflate_free(g->deflate);
    auth_close(&g->auth);
    peer_tls_close(&g->inner_tls);
    for (size_t i = 0; i < g->fronts_n; i++)
        front_fini(&g->fronts[i]);
    buf_fini(&g->text);
    mem_free(g);
}

static void stop_accepting(struct gateway *g)
{
    for (size_t i = 0; i < g->fronts_n; i++)
        front_stop(&g->fronts[i]);
}

/* ---- the end ---- */

/* Once no connection of ours is left nobody calls back any more; the second look finds none that
 * died in the turn of the first. At the deadline the process ends with what is left, which then
 * belongs to the connections' pool. */
static void on_ending(struct timer *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, ending);
    struct role_env *env = g->env;
    bool is_late = loop_now_ms(g->loop) >= g->ending_deadline_ms;
    if (g->is_draining && !g->is_stopping && (is_late || route_is_idle(g))) {
        gateway_role.stop(g);
        return;
    }
    if (g->is_stopping && clients_len(&g->clients) == 0)
        inner_stop(g); /* behind the last ON_CLOSE */
    bool is_empty = g->is_stopping && conn_pool_len(g->conns) <= g->foreign_conns_n;
    if (is_empty && g->was_empty) {
        gateway_free(g);
        env->finished(env);
    } else if (g->is_stopping && is_late) {
        env->finished(env);
    } else {
        timer_start(g->loop, t, is_empty ? 0 : ENDING_LOOK_MS);
        g->was_empty = is_empty;
    }
}

static void begin_ending(struct gateway *g, uint64_t max_ms)
{
    stop_accepting(g);
    g->ending.fire = on_ending;
    g->ending_deadline_ms = loop_now_ms(g->loop) + max_ms;
    timer_start(g->loop, &g->ending, 0);
}

static void for_all_clients(struct gateway *g, void (*visit)(struct conn *c))
{
    uint32_t pos = 0;
    for (struct client *c = roster_next(&g->clients.all, &pos); c;
         c = roster_next(&g->clients.all, &pos))
        visit(chan_conn(c->chan));
}

/* Work in hand is what the workers do for events that clients have sent: no more is read, and the
 * answers still reach them. */
static void gateway_drain(void *self)
{
    struct gateway *g = self;
    if (g->is_draining || g->is_stopping)
        return;
    g->is_draining = true;
    for_all_clients(g, conn_pause);
    begin_ending(g, DRAIN_MAX_MS);
}

static void gateway_retreat(void *self, uint64_t per_second, uint64_t seconds)
{
    retreat_begin(self, per_second, seconds);
}

static void gateway_stop(void *self)
{
    struct gateway *g = self;
    if (g->is_stopping)
        return;
    g->is_stopping = true;
    registrar_stop(g);
    nats_peer_stop(g->nats_peer);
    heartbeat_stop(g);
    front_close_all(g);
    if (g->is_draining)
        for_all_clients(g, conn_resume); /* for their goodbyes */
    begin_ending(g, STOP_MAX_MS);
}

/* ---- the beginning ---- */

/* Tabs that a browser restores, a household that comes back after a cut: at once, but not again and
 * again. */
enum { ARRIVALS_BURST_S = 10 };

static void init(struct gateway *g, struct role_env *env)
{
    g->env = env;
    g->conf = env->section->conf;
    g->loop = env->loop;
    g->conns = env->conns;
    g->foreign_conns_n = conn_pool_len(env->conns);
    clients_init(&g->clients);
    groups_init(&g->groups, MEMBER_GROUP);
    groups_init(&g->uids, MEMBER_UID);
    interest_init(&g->interest, g->loop, &g->groups, &g->uids);
    herald_init(g);
    list_init(&g->inner.peers);
    jobs_init(g);
    addr_counts_init(&g->addresses);
    g->trusted = door_conf_trusted(&g->conf->door);
    g->deflate = ws_conf_deflate(&g->conf->ws);
    route_init(g);
    rates_init(g);
    g->pace = listener_pace_of(g->conf->max_handshakes_per_second, "max_handshakes_per_second");
    if (g->conf->max_handshakes_per_address > 0)
        g->arrivals = arrivals_new(g->conf->max_handshakes_per_address,
                                   ARRIVALS_BURST_S * g->conf->max_handshakes_per_address);
}

/* What a process opens besides clients: links, ports, files of OpenSSL and the log. */
enum { FILES_BESIDES_N = 64 };

static void compare_files(const struct gateway *g)
{
    int64_t max_n = g->conf->max_connections;
    unsigned long files;
    if (max_n == 0 || g->env->slot > 0 || sock_raise_files(0, &files) < 0)
        return;
    if ((uint64_t)max_n + FILES_BESIDES_N > files)
        log_warn("max_connections is %" PRId64 ", but a process may open %lu files: beyond about "
                 "%lu clients it takes no more. Raise open_files, and ulimit -Hn (LimitNOFILE in "
                 "systemd), or lower max_connections",
                 max_n, files, files > FILES_BESIDES_N ? files - FILES_BESIDES_N : 0);
}

static int start_listeners(struct gateway *g)
{
    const struct role_env *env = g->env;
    struct tls_context *tls;
    struct span rest = env->credentials;
    int rc = tls_conf_open(&g->conf->tls, &rest, &tls);
    if (rc == 0)
        rc = peer_tls_open(&g->inner_tls, &g->conf->inner_tls, &rest);
    if (rc == 0)
        rc = auth_open(&g->auth, &g->conf->auth, &rest);
    if (rc == 0)
        rc = inner_start(g, env->listen_fds[env->listen_fds_n - 1]);
    for (size_t i = 0; rc == 0 && i + 1 < env->listen_fds_n; i++) {
        rc = front_start(&g->fronts[i], g, g->conf->listen.at[i].text, env->listen_fds[i], tls);
        if (rc == 0)
            g->fronts_n++;
    }
    tls_context_unref(tls);
    return rc;
}

static int gateway_start(struct role_env *env, void **self)
{
    struct gateway *g = mem_zalloc(sizeof(*g));
    struct addr lan;
    init(g, env);
    crypto_prepare(); /* for WebSocket handshakes */
    int rc = gateway_conf_lan(g->conf, env->slot, &lan);
    if (rc < 0) {
        log_error("lan_ip %s is not an address of this host", g->conf->lan_ip);
        goto free_gateway;
    }
    g->local_ip = addr_ip4(&lan);
    g->local_port = lan.port;
    compare_files(g);
    heartbeat_start(g);
    silence_start(g);
    rc = start_listeners(g);
    if (rc == 0)
        rc = registrar_start(g);
    if (rc == 0)
        rc = nats_peer_start(g);
    if (rc < 0)
        goto stop_parts;
    *self = g;
    env->ready(env);
    return 0;
stop_parts:
    registrar_stop(g);
    nats_peer_stop(g->nats_peer);
    stop_accepting(g);
    inner_stop(g);
free_gateway:
    gateway_free(g);
    return rc;
}

static void renew_auth(struct gateway *g, struct span *rest)
{
    struct auth fresh;
    if (auth_open(&fresh, &g->conf->auth, rest) < 0) {
        auth_close(&fresh);
        return;
    }
    auth_close(&g->auth);
    g->auth = fresh;
}

/* New certificates and keys; connected clients and peers keep the ones that they know. */
static void gateway_reopen(void *self)
{
    struct gateway *g = self;
    struct tls_context *tls;
    struct span rest = g->env->credentials;
    if (rest.len == 0 || tls_conf_open(&g->conf->tls, &rest, &tls) < 0)
        return;
    for (size_t i = 0; i < g->fronts_n; i++)
        door_renew_tls(&g->fronts[i].door, tls);
    tls_context_unref(tls);
    if (peer_tls_open(&g->inner_tls, &g->conf->inner_tls, &rest) < 0)
        return;
    door_renew_tls(&g->inner.door, g->inner_tls.accepting);
    renew_auth(g, &rest);
}

static void gateway_status(void *self, struct role_status *out)
{
    const struct gateway *g = self;
    snprintf(out->listening, sizeof(out->listening), "%s", g->conf->listen.at[0].text);
    out->connections_n = clients_len(&g->clients);
    out->send_fail_n = g->counts.send_fail_n;
    out->timers_n = loop_timers_n(g->loop);
    out->requests_n = g->counts.requests_n;
    nats_peer_status(g->nats_peer, out);
    out->uids_n = groups_len(&g->uids);
    out->groups_n = groups_len(&g->groups);
    out->queued_bytes = route_queued_bytes(g);
    out->dropped_n = g->counts.dropped_n;
    out->lost_n = g->counts.lost_n;
    out->links_n = workers_len(&g->route.workers);
    out->drop_new_n = g->counts.drop_new_n;
    out->drop_old_n = g->counts.drop_old_n;
    out->slow_closed_n = g->counts.slow_closed_n;
    out->slow_n = g->slow_n;
    out->refused_n = g->counts.refused_n;
    out->limited_n = g->counts.limited_n + g->pace.waits_n;
    out->join_refused_n = g->counts.join_refused_n;
    out->silent_n = g->counts.silent_n;
    out->delivered_n = g->counts.delivered_n;
    out->sends_n = g->counts.sends_n;
    out->unheard_n = silence_count(g);
}

static void gateway_connections(void *self, role_connection_fn *row, void *ctx)
{
    table_connections(self, row, ctx);
}

const struct role gateway_role = {
    .kind = "gateway",
    .table = &gateway_conf_table,
    .is_reloadable = false,
    .start_order = 1,
    .count = gateway_conf_count,
    .check = gateway_conf_check,
    .plan = gateway_conf_plan,
    .credentials = gateway_conf_credentials,
    .start = gateway_start,
    .drain = gateway_drain,
    .retreat = gateway_retreat,
    .stop = gateway_stop,
    .reopen = gateway_reopen,
    .status = gateway_status,
    .connections = gateway_connections,
};
