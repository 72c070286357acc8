/* The coroutine that dials waits for the name, the connection and the handshake. A connection that
 * is read by gw_conn_read() keeps one message and is not read from meanwhile. */
#include "service/dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <gw/service.h>

#include "base/mem.h"
#include "net/resolve.h"
#include "net/tls.h"
#include "proto/ws_client.h"
#include "service/handle.h"
#include "service/self.h"

enum { DIAL_DEFAULT_MS = 10000, HOST_MAX = 256 };

struct dial {
    struct service_kind kind;
    struct codec own_codec;
    struct buf greeting;
    struct gw_conn *handle;
    struct resolve *resolve;
    struct timer deadline;
    struct addr addr;
    struct co *waiter; /* in gw_dial() */
    int rc;
    bool is_open;
    bool has_message; /* handed out by gw_conn_read(), until the next call */
};

void dial_free(struct dial *d)
{
    if (!d)
        return;
    buf_fini(&d->greeting);
    mem_free(d);
}

static void wake(struct gw_conn *h, struct co **who)
{
    struct co *co = *who;

    *who = NULL;
    if (co)
        fibers_resume(&h->service->mesh.fibers, co);
}

/* ---- where to ---- */

struct place {
    const struct codec *codec; /* NULL: the module's own */
    struct span host_port;     /* as written */
    struct span target;        /* "/path?query" */
    bool is_tls;
};

static bool parse(struct span url, struct place *out)
{
    static const struct {
        const char *scheme;
        const struct codec *codec;
        bool is_tls;
    } schemes[] = {
        {"tcp", &tcp_codec, false},
        {"tcps", &tcp_codec, true},
        {"ssl", &tcp_codec, true},
        {"text", &text_codec, false},
        {"texts", &text_codec, true},
        {"frame", &frame_codec, false},
        {"frames", &frame_codec, true},
        {"websocket", &ws_client_codec, false},
        {"websockets", &ws_client_codec, true},
        {"ws", &ws_client_codec, false},
        {"wss", &ws_client_codec, true},
    };
    struct span scheme, place;

    if (!addr_split_url(url, &scheme, &place))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (!span_eq_nocase(scheme, schemes[i].scheme))
            continue;
        ptrdiff_t slash = span_find(place, '/');
        size_t host_len = slash < 0 ? place.len : (size_t)slash;
        *out = (struct place){.codec = schemes[i].codec,
                              .host_port = span_of(place.at, host_len),
                              .target = span_skip(place, host_len),
                              .is_tls = schemes[i].is_tls};
        bool has_target = out->target.len > 0;
        if (!has_target)
            out->target = span_str("/");
        return host_len > 0 && host_len < HOST_MAX &&
               (!has_target || out->codec == &ws_client_codec);
    }
    return false;
}

/* A target or host with blanks or line ends would write headers of its own. */
static bool is_plain(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.at[i] <= ' ' || s.at[i] == 0x7f)
            return false;
    return true;
}

/* ---- on the way ---- */

static void done(struct dial *d, int rc)
{
    d->rc = rc;
    timer_stop(d->handle->service->env->loop, &d->deadline);
    wake(d->handle, &d->waiter);
}

static void on_resolved(void *owner, int rc, const struct addr *addr)
{
    struct dial *d = owner;

    d->resolve = NULL;
    if (rc == 0)
        d->addr = *addr;
    done(d, rc);
}

static void on_late(struct timer *t)
{
    struct dial *d = CONTAINER_OF(t, struct dial, deadline);

    resolve_cancel(d->resolve);
    d->resolve = NULL;
    done(d, GW_ETIMEOUT);
}

void dial_opened(struct gw_conn *h)
{
    struct dial *d = h->dial;

    d->is_open = true;
    done(d, 0); /* the module knows of the connection before anything is read from it */
}

static int wait_here(struct dial *d)
{
    struct fibers *f = &d->handle->service->mesh.fibers;

    d->waiter = fibers_self(f);
    fibers_wait(f);
    return d->rc;
}

static int look_up(struct dial *d, struct span host_port)
{
    struct service *s = d->handle->service;
    char text[HOST_MAX];

    snprintf(text, sizeof text, "%.*s", (int)host_port.len, (const char *)host_port.at);
    d->resolve = resolve_start(s->env->loop, text, on_resolved, d);
    if (!d->resolve)
        return -errno;
    return wait_here(d);
}

static void set_kind(struct dial *d, const struct place *p, uint64_t timeout_ms)
{
    const struct service *s = d->handle->service;

    service_chan_conf(s, &d->kind.chan);
    d->kind.chan.codec = p->codec;
    d->kind.chan.conn_conf.handshake_timeout_ms = timeout_ms;
    d->kind.chan.open_timeout_ms = timeout_ms;
    if (p->codec == &ws_client_codec) {
        ws_put_request(&d->greeting, p->host_port, p->target);
        d->kind.chan.codec_conf.greeting = buf_span(&d->greeting);
    }
    if (s->module->codec && p->codec == &tcp_codec)
        own_codec_use(&d->kind, &d->own_codec, s->module->codec);
}

/* "[::1]:80" → "::1", "a.example:80" → "a.example". */
static void host_of(struct span host_port, char out[HOST_MAX])
{
    size_t len = host_port.len;
    bool has_brackets = len > 0 && host_port.at[0] == '[';

    while (len > 0 && host_port.at[len - 1] != (has_brackets ? ']' : ':'))
        len--;
    struct span host = span_of(host_port.at, len > 0 ? len - 1 : host_port.len);
    if (has_brackets)
        host = span_skip(host, 1);
    snprintf(out, HOST_MAX, "%.*s", (int)host.len, (const char *)host.at);
}

/* NULL: OpenSSL gives none. */
static void *make_tls(struct service *s, const struct place *p, bool is_insecure)
{
    struct tls_complaint complaint;
    char host[HOST_MAX];

    if (!s->dial_tls)
        s->dial_tls = tls_context_new_dialler(NULL, &complaint);
    host_of(p->host_port, host);
    return s->dial_tls ? tls_new_dialler(s->dial_tls, host, is_insecure) : NULL;
}

static int connect_to(struct dial *d, const struct place *p, bool is_insecure)
{
    struct gw_conn *h = d->handle;
    void *tls = p->is_tls ? make_tls(h->service, p, is_insecure) : NULL;

    if (p->is_tls && !tls)
        return -ENOMEM;

    h->peer = d->addr;
    addr_ip_text(&h->peer, h->ip);
    h->kind = &d->kind;
    h->chan = chan_dial_over(h->service->env->conns, &d->addr,
                             tls ? &tls_transport : &plain_transport, tls, &d->kind.chan, h);
    if (!h->chan)
        return -errno;
    h->conn = chan_conn(h->chan);
    list_append(&h->service->dialled, &h->node);
    int rc = wait_here(d);
    return d->is_open ? 0 : rc < 0 ? rc : GW_ECLOSED;
}

int gw_dial(struct gw *gw, const char *url, const struct gw_dial *how, struct gw_conn **out)
{
    struct service *s = service_of(gw);
    struct place place;

    *out = NULL;
    if (!s || !fibers_is_inside(&s->mesh.fibers))
        return GW_ECONTEXT;
    if (!url || !parse(span_str(url), &place) || !is_plain(place.target) ||
        !is_plain(place.host_port))
        return -EINVAL;
    uint64_t timeout_ms = how && how->timeout_ms ? how->timeout_ms : DIAL_DEFAULT_MS;
    struct gw_conn *h = handle_new(s, NULL, NULL);
    struct dial *d = h->dial = mem_zalloc(sizeof *d);
    d->handle = h;
    d->deadline.fire = on_late;
    h->data = how ? how->data : NULL;
    timer_start(s->env->loop, &d->deadline, timeout_ms);
    int rc = look_up(d, place.host_port);
    if (rc == 0) {
        set_kind(d, &place, timeout_ms);
        rc = connect_to(d, &place, how && how->is_insecure);
    }
    if (rc < 0) {
        if (h->chan)
            chan_destroy(h->chan, rc);
        dial_forget(h);
        return rc;
    }
    h->events = how ? how->events : NULL;
    *out = h;
    return 0;
}

/* ---- without events ---- */

/* One message waits at most: reading goes on when it was fetched. */
void dial_received(struct gw_conn *h)
{
    if (!h->is_held && h->conn) {
        h->is_held = true;
        conn_pause(h->conn);
    }
    wake(h, &h->reader);
}

void dial_ended(struct gw_conn *h)
{
    if (h->dial->waiter) {
        done(h->dial, h->goodbye.why ? h->goodbye.why : GW_ECLOSED);
        return;
    }
    wake(h, &h->reader);
    if (h->is_forgotten)
        handle_bury(h);
}

/* Its memory goes when the connection has ended too. */
void dial_forget(struct gw_conn *h)
{
    h->is_forgotten = true;
    if (h->conn)
        return;
    timer_stop(h->service->env->loop, &h->dial->deadline);
    handle_bury(h);
}

int gw_conn_read(struct gw_conn *conn, struct gw_bytes *message)
{
    struct fibers *f = &conn->service->mesh.fibers;
    struct dial *d = conn->dial;

    *message = gw_bytes("", 0);
    if (!d || conn->events || conn->reader || !fibers_is_inside(f))
        return GW_ECONTEXT;
    if (d->has_message) {
        buf_clear(&conn->message);
        d->has_message = false;
        if (conn->is_held && conn->conn) {
            conn->is_held = false;
            conn_resume(conn->conn);
        }
    }
    if (!(conn->pending & HANDLE_MESSAGE) && conn->conn) {
        conn->reader = fibers_self(f);
        fibers_wait(f);
    }
    if (!(conn->pending & HANDLE_MESSAGE)) {
        int why = conn->goodbye.why;
        return why < 0 ? why : GW_ECLOSED;
    }
    conn->pending &= (uint8_t)~HANDLE_MESSAGE;
    d->has_message = true;
    *message = gw_bytes(buf_cstr(&conn->message), conn->message.len);
    return 0;
}
