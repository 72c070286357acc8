/* The web role: listeners, visitors and the pages that they see. */
#include "web/web.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/listener.h"
#include "net/sock.h"
#include "proc/listen.h"
#include "web/visitor.h"
#include "web/web_conf.h"

struct web {
    struct role_env *env;
    const struct web_conf *conf;
    struct pages *pages;
    struct visitors visitors;
    struct listener *listeners[ROLE_LISTENERS_MAX];
    size_t listeners_n;
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
    if (c->listen.len > ROLE_LISTENERS_MAX) {
        buf_printf(errors, "%s: [web] listen: %zu addresses; at most %d are possible\n",
                   conf_where(conf, s, "listen"), c->listen.len, ROLE_LISTENERS_MAX);
        return GW_ECONF;
    }
    for (size_t i = 0; i < c->listen.len; i++) {
        if (role_listen_parse(conf, s, "listen", c->listen.at[i].text, schemes, &out[i], errors) <
            0)
            return GW_ECONF;
        out[i].is_shared = true;
    }
    return (int)c->listen.len;
}

static void on_accept(void *owner, int fd, const struct addr *peer)
{
    struct web *w = owner;
    visitors_accept(&w->visitors, fd, peer);
}

static void stop_listening(struct web *w)
{
    while (w->listeners_n > 0)
        listener_stop(w->listeners[--w->listeners_n]);
}

static void web_free(struct web *w)
{
    stop_listening(w);
    pages_close(w->pages);
    mem_free(w);
}

/* The last visitor has left. */
static void on_empty(struct visitors *all)
{
    struct web *w = CONTAINER_OF(all, struct web, visitors);
    w->env->finished(w->env);
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

static int web_start(struct role_env *env, void **self)
{
    struct web *w = mem_zalloc(sizeof *w);
    w->env = env;
    w->conf = env->section->conf;
    w->pages = open_pages(env);
    if (!w->pages) {
        web_free(w);
        return -ENOENT;
    }
    visitors_init(&w->visitors, env->conns, w->conf, w->pages, on_empty);
    for (size_t i = 0; i < env->listen_fds_n; i++) {
        struct listener *l = listener_start(env->loop, env->listen_fds[i], on_accept, w);
        if (!l) {
            int rc = -errno;
            log_error("web: cannot watch a listener: %s", strerror(errno));
            web_free(w);
            return rc;
        }
        w->listeners[w->listeners_n++] = l;
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

/* A reload: the folder may be another one now, where the root's path goes over a link. */
static void web_reopen(void *self)
{
    struct web *w = self;
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

struct walk {
    role_connection_fn *row;
    void *ctx;
    uint64_t id;
};

static bool tell_visitor(void *ctx, struct conn *conn, bool is_waiting)
{
    struct walk *walk = ctx;
    struct conn_counts counts;
    struct addr local = {0};
    int unread = 0, unsent = 0;
    conn_counts(conn, &counts);
    if (sock_local(conn_fd(conn), &local) < 0 || sock_queue(conn_fd(conn), &unread, &unsent) < 0)
        return true; /* it is just going */
    struct role_connection row = {
        .id = ++walk->id,
        .transport = conn_transport_name(conn),
        .protocol = "http",
        .is_ipv6 = conn_peer(conn)->family == AF_INET6,
        .state = conn_is_closing(conn) ? "CLOSING"
                 : is_waiting          ? "WAITING"
                                       : "ESTABLISHED",
        .read_bytes = counts.read_bytes,
        .written_bytes = counts.written_bytes,
        .unread_bytes = (uint64_t)unread,
        .unsent_bytes = (uint64_t)unsent + conn_queued(conn),
    };
    addr_text(&local, row.local);
    addr_text(conn_peer(conn), row.remote);
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
    .is_reloadable = false,
    .start_order = 3,
    .count = web_count,
    .check = web_conf_check,
    .plan = web_plan,
    .start = web_start,
    .drain = web_drain,
    .stop = web_stop,
    .reopen = web_reopen,
    .status = web_status,
    .connections = web_connections,
};
