/* The registry role: gateways announce themselves, workers and client libraries hear where they
 * are. */
#include "registry/registry.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "chan/door.h"
#include "net/peer_tls.h"
#include "net/sock.h"
#include "proc/connection.h"
#include "registry/peer.h"
#include "registry/registry_conf.h"

struct registry {
    struct role_env *env;
    struct door door;
    struct peer_tls tls;
    struct peer_host host;
    bool is_stopping;
};

static int count(const void *conf)
{
    return 1;
}

static void on_enter(void *owner, int fd, const struct addr *peer,
                     const struct transport *transport, void *transport_state)
{
    struct registry *r = owner;

    peer_accept(&r->host, fd, peer, transport, transport_state);
}

static int credentials(const struct conf *conf, const struct conf_section *s, struct buf *out,
                       struct buf *errors)
{
    const struct registry_conf *c = s->conf;

    return peer_tls_read(conf, s, &c->tls, out, errors);
}

static int open_door(struct registry *r)
{
    const struct registry_conf *conf = r->env->section->conf;
    struct span rest = r->env->credentials;
    int rc = peer_tls_open(&r->tls, &conf->tls, &rest);

    if (rc < 0)
        return rc;
    r->door = (struct door){.on_enter = on_enter,
                            .owner = r,
                            .may_be_plain = conf->tls.mode == PEER_TLS_OPTIONAL,
                            .timeout_ms = PEER_FIRST_LINE_MS};
    sock_tune_link(r->env->listen_fds[0]);
    sock_watch_peer(r->env->listen_fds[0]); /* a list without gateways that are gone */
    rc = door_open(&r->door, r->env->loop, r->env->listen_fds[0], r->tls.accepting);
    if (rc < 0)
        log_error("the registry cannot listen on %s: %s", conf->listen, gw_strerror(rc));
    return rc;
}

static int start(struct role_env *env, void **self)
{
    const struct registry_conf *conf = env->section->conf;
    struct registry *r = mem_zalloc(sizeof *r);

    r->env = env;
    peer_host_init(&r->host, env->loop, env->conns, conf->secret_key);
    int rc = open_door(r);
    if (rc < 0) {
        peer_tls_close(&r->tls);
        peer_host_fini(&r->host);
        mem_free(r);
        return rc;
    }
    *self = r;
    env->ready(env);
    return 0;
}

/* The struct itself goes with the process: status() may still be asked in this turn. */
static void finish_when_empty(struct peer_host *h)
{
    struct registry *r = CONTAINER_OF(h, struct registry, host);

    if (h->peers_n > 0)
        return;
    peer_host_fini(h);
    r->env->finished(r->env);
}

/* Nothing is ever in hand here, so a drain is a stop: gateways and workers come back by themselves.
 */
static void stop(void *self)
{
    struct registry *r = self;

    if (r->is_stopping)
        return;
    r->is_stopping = true;
    r->host.on_gone = finish_when_empty;
    door_close(&r->door);
    peer_tls_close(&r->tls);
    peer_host_close_all(&r->host);
    finish_when_empty(&r->host);
}

/* New certificates; connected peers keep the ones that they know. */
static void reopen(void *self)
{
    struct registry *r = self;
    const struct registry_conf *conf = r->env->section->conf;
    struct span rest = r->env->credentials;

    if (r->is_stopping || rest.len == 0 || peer_tls_open(&r->tls, &conf->tls, &rest) < 0)
        return;
    door_renew_tls(&r->door, r->tls.accepting);
}

static void status(void *self, struct role_status *out)
{
    struct registry *r = self;
    const struct registry_conf *conf = r->env->section->conf;

    snprintf(out->listening, sizeof out->listening, "%s", conf->listen);
    out->connections_n = r->host.peers_n;
    out->send_fail_n = r->host.send_fail_n;
    out->timers_n = loop_timers_n(r->env->loop);
    out->requests_n = r->host.lines_n;
}

static void connections(void *self, role_connection_fn *row_fn, void *ctx)
{
    struct registry *r = self;
    uint64_t id = 1;

    for (struct list *n = r->host.peers.next; n != &r->host.peers; n = n->next, id++) {
        const struct peer *p = CONTAINER_OF(n, struct peer, node);
        struct role_connection row = connection_row(chan_conn(p->chan), id, "text");
        if (chan_is_closing(p->chan))
            row.state = "CLOSING";
        if (!row_fn(ctx, &row))
            return;
    }
}

const struct role registry_role = {
    .kind = "registry",
    .table = &registry_conf_table,
    .is_reloadable = false,
    .start_order = 0,
    .count = count,
    .check = registry_conf_check,
    .plan = registry_conf_plan,
    .credentials = credentials,
    .start = start,
    .drain = stop,
    .stop = stop,
    .reopen = reopen,
    .status = status,
    .connections = connections,
};
