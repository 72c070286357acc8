/* The web role: listeners, visitors, the pages that they see, the HTTP API that they call and
 * metrics. */
#include "web/web.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "chan/door.h"
#include "net/tls_conf.h"
#include "proc/connection.h"
#include "proc/listen.h"
#include "web/api.h"
#include "web/api_key.h"
#include "web/visitor.h"
#include "web/web_conf.h"

struct web {
    struct role_env *env;
    const struct web_conf *conf;
    struct pages *pages;
    struct api *api; /* NULL: the config has no key for it */
    struct visitors visitors;
    struct scrapes scrapes;
    struct cidr_set trusted;
    struct peer_tls inner_tls;
    struct door doors[ROLE_LISTENERS_MAX];
    size_t doors_n;
};

static int web_count(const void *conf)
{
    const struct web_conf *c = conf;
    return (int)c->count;
}

static int web_plan(const struct conf *conf, const struct conf_section *s, int slot,
                    struct role_listen out[ROLE_LISTENERS_MAX], struct buf *errors)
{
    static const char *const schemes[] = {"http", NULL};
    const struct web_conf *c = s->conf;
    (void)slot;
    if (c->listen.len > ROLE_LISTENERS_MAX)
        return conf_complain(conf, s, "listen", errors, "%zu addresses; at most %d are possible",
                             c->listen.len, ROLE_LISTENERS_MAX);
    for (size_t i = 0; i < c->listen.len; i++) {
        if (role_listen_parse(conf, s, "listen", c->listen.at[i].text, schemes, &out[i], errors) <
            0)
            return GW_ECONF;
        out[i].is_shared = !out[i].unix_path;
        out[i].is_public = true;
        out[i].is_tls = tls_conf_is_on(&c->tls) && !out[i].unix_path;
    }
    return (int)c->listen.len;
}

static int web_credentials(const struct conf *conf, const struct conf_section *s, struct buf *out,
                           struct buf *errors)
{
    const struct web_conf *c = s->conf;
    int rc = tls_conf_read(conf, s, &c->tls, out, errors);
    if (peer_tls_read(conf, s, &c->registries.tls, out, errors) < 0)
        rc = GW_ECONF;
    return api_keys_read(conf, out, errors) < 0 ? GW_ECONF : rc;
}

static void on_enter(void *owner, int fd, const struct addr *peer,
                     const struct transport *transport, void *transport_state)
{
    struct web *w = owner;
    visitors_accept(&w->visitors, fd, peer, transport, transport_state);
}

static void stop_listening(struct web *w)
{
    while (w->doors_n > 0)
        door_close(&w->doors[--w->doors_n]);
}

static void web_free(struct web *w)
{
    stop_listening(w);
    cidr_set_fini(&w->trusted);
    scrapes_fini(&w->scrapes);
    peer_tls_close(&w->inner_tls);
    pages_close(w->pages);
    mem_free(w);
}

static void on_api_closed(void *owner)
{
    struct web *w = owner;
    w->env->finished(w->env);
}

/* The last visitor has left. */
static void on_empty(struct visitors *all)
{
    struct web *w = CONTAINER_OF(all, struct web, visitors);
    api_close(w->api, on_api_closed, w);
}

static struct pages *open_pages(const struct role_env *env)
{
    const struct web_conf *c = env->section->conf;
    const char *root = conf_path(env->conf, c->root);
    struct pages *pages = pages_open(c, root);
    if (!pages)
        log_error("web: root %s: %s", root, strerror(errno));
    return pages;
}

static int open_doors(struct web *w, struct tls_context *tls)
{
    const struct role_env *env = w->env;
    for (size_t i = 0; i < env->listen_fds_n; i++) {
        w->doors[i] = (struct door){.on_enter = on_enter,
                                    .owner = w,
                                    .is_http = true,
                                    .has_proxy_header = w->conf->door.has_proxy_header,
                                    .trusted = &w->trusted,
                                    .timeout_ms = w->conf->head_timeout_ms};
        int rc = door_open(&w->doors[i], env->loop, env->listen_fds[i], tls);
        if (rc < 0) {
            log_error("web: cannot watch a listener: %s", strerror(-rc));
            return rc;
        }
        w->doors_n++;
    }
    return 0;
}

static int web_start(struct role_env *env, void **self)
{
    struct web *w = mem_zalloc(sizeof *w);
    w->env = env;
    w->conf = env->section->conf;
    scrapes_init(&w->scrapes, env, w->conf);
    w->pages = open_pages(env);
    if (!w->pages) {
        web_free(w);
        return -ENOENT;
    }
    struct tls_context *tls;
    w->trusted = door_conf_trusted(&w->conf->door);
    visitors_init(&w->visitors, env->conns, w->conf, w->pages, &w->trusted, on_empty);
    struct span credentials = env->credentials;
    int rc = tls_conf_open(&w->conf->tls, &credentials, &tls);
    if (rc == 0)
        rc = peer_tls_open(&w->inner_tls, &w->conf->registries.tls, &credentials);
    if (rc == 0)
        rc = open_doors(w, tls);
    if (rc == 0)
        rc = api_open(env, w->conf, &w->inner_tls, &credentials, &w->api);
    w->visitors.api = w->api;
    w->visitors.scrapes = &w->scrapes;
    tls_context_unref(tls);
    if (rc < 0) {
        web_free(w);
        return rc;
    }
    *self = w;
    env->ready(env);
    return 0;
}

static void web_drain(void *self)
{
    struct web *w = self;
    stop_listening(w);
    visitors_drain(&w->visitors);
}

static void web_stop(void *self)
{
    struct web *w = self;
    stop_listening(w);
    visitors_close(&w->visitors);
}

/* Certificates and tokens, in the order of web_credentials(); none: they could not be read. */
static void renew_credentials(struct web *w)
{
    struct tls_context *tls;
    struct span rest = w->env->credentials;
    if (rest.len == 0 || tls_conf_open(&w->conf->tls, &rest, &tls) < 0)
        return;
    if (peer_tls_open(&w->inner_tls, &w->conf->registries.tls, &rest) < 0)
        log_warn("the old certificates for inner_tls stay in use");
    api_renew(w->api, &rest);
    for (size_t i = 0; i < w->doors_n; i++)
        door_renew_tls(&w->doors[i], tls);
    tls_context_unref(tls);
}

/* A reload: new certificates and tokens; and the folder may be another one now, where the root's
 * path goes over a link. */
static void web_reopen(void *self)
{
    struct web *w = self;
    renew_credentials(w);
    struct pages *pages = open_pages(w->env);
    if (!pages)
        return;
    pages_close(w->pages);
    w->pages = w->visitors.pages = pages;
}

static void web_status(void *self, struct role_status *out)
{
    const struct web *w = self;
    const char *first = w->conf->listen.len > 0 ? w->conf->listen.at[0].text : "none";
    snprintf(out->listening, sizeof out->listening, "%s", first);
    out->connections_n = w->visitors.n;
    out->timers_n = loop_timers_n(w->env->loop);
    out->requests_n = w->visitors.requests_n;
}

static void web_metrics(void *self, struct span text)
{
    struct web *w = self;
    scrapes_take(&w->scrapes, text);
}

struct walk {
    role_connection_fn *row;
    void *ctx;
    uint64_t id;
};

static bool tell_visitor(void *ctx, struct conn *conn, bool is_waiting)
{
    struct walk *walk = ctx;
    struct role_connection row = connection_row(conn, ++walk->id, "http");
    if (is_waiting && !conn_is_closing(conn))
        row.state = "WAITING";
    return walk->row(walk->ctx, &row);
}

static void web_connections(void *self, role_connection_fn *row, void *ctx)
{
    const struct web *w = self;
    struct walk walk = {.row = row, .ctx = ctx};
    visitors_walk(&w->visitors, tell_visitor, &walk);
}

const struct role web_role = {
    .kind = "web",
    .table = &web_conf_table,
    .sandbox = SANDBOX_FILES,
    .is_reloadable = false,
    .start_order = 3,
    .count = web_count,
    .check = web_conf_check,
    .plan = web_plan,
    .credentials = web_credentials,
    .start = web_start,
    .drain = web_drain,
    .stop = web_stop,
    .reopen = web_reopen,
    .status = web_status,
    .metrics = web_metrics,
    .connections = web_connections,
};
