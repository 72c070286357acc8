/* The side of the clients: accepts them, turns what they do into events, sees them off. */
#include "gateway/front.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "chan/forwarded.h"
#include "gateway/gateway_conf.h"
#include "gateway/handshake.h"
#include "gateway/origin.h"
#include "gateway/slow.h"
#include "gateway/state.h"
#include "net/sock.h"

static const char CLIENTS_LIMIT[] = "max_connections";
static const char EVENTS_LIMIT[] = "twice send_to_worker_buffer_size";
static const char ADDRESS_LIMIT[] = "max_connections_per_address";
static const char ARRIVALS_LIMIT[] = "max_handshakes_per_address";

/* A browser opens at most so many connections to one host, so that a client of the fallback, with
 * its stream and its POSTs, needs no more. */
enum { CONNECTIONS_PER_GUEST = 6 };

/* ---- connections per address ---- */

/* Trusted proxies are not counted: they stand for many. */
static bool is_counted(const struct gateway *g, const struct addr *peer)
{
    return g->conf->max_connections_per_address > 0 && peer->family != AF_UNIX &&
           !cidr_set_has(&g->trusted, peer);
}

static void count_in(struct gateway *g, const struct addr *peer)
{
    if (is_counted(g, peer))
        addr_counts_add(&g->addresses, peer);
}

static void count_out(struct gateway *g, const struct addr *peer)
{
    if (is_counted(g, peer))
        addr_counts_remove(&g->addresses, peer);
}

static void log_refused(struct gateway *g, const struct addr *peer, const char *limit)
{
    g->counts.refused_n++;
    static struct log_rate rate;
    char from[ADDR_TEXT_MAX];
    addr_text(peer, from);
    log_limited(&rate, LOG_WARN, "%s refused: %s is reached", from, limit);
}

/* Takes a token of the address. */
static bool is_too_fast(const struct gateway *g, const struct addr *peer)
{
    return g->arrivals && !cidr_set_has(&g->trusted, peer) &&
           !arrivals_allow(g->arrivals, peer, loop_now_ms(g->loop));
}

static bool is_address_full(const struct gateway *g, const struct addr *peer)
{
    size_t max_n = (size_t)g->conf->max_connections_per_address;
    return is_counted(g, peer) && addr_counts_of(&g->addresses, peer) >= max_n;
}

static const char *refusal(const struct gateway *g, const struct addr *peer)
{
    int64_t max_n = g->conf->max_connections;
    if (max_n > 0 && clients_len(&g->clients) >= max_n)
        return CLIENTS_LIMIT;
    if (is_address_full(g, peer))
        return ADDRESS_LIMIT;
    return route_is_choked(g) ? EVENTS_LIMIT : NULL;
}

/* Of those that are no clients: streams and POSTs of the fallback, and who said nothing yet. */
static const char *guest_refusal(const struct front *f, const struct addr *peer)
{
    const struct gateway *g = f->gateway;
    size_t max_n = CONNECTIONS_PER_GUEST * (size_t)g->conf->max_connections;
    size_t of_address_max_n = CONNECTIONS_PER_GUEST * (size_t)g->conf->max_connections_per_address;
    if (max_n > 0 && f->lobby.guests_n >= max_n)
        return CLIENTS_LIMIT;
    bool is_full =
        is_counted(g, peer) && addr_counts_of(&f->lobby.addresses, peer) >= of_address_max_n;
    return is_full ? ADDRESS_LIMIT : NULL;
}

/* ---- a client's life ---- */

/* Before any handshake: worker-gateway.json on_connect. */
static void begin(struct gateway *g, struct client *c, const struct addr *peer)
{
    count_in(g, peer);
    heartbeat_add(&g->heartbeat, c);
    route_event(g, c, CMD_ON_CONNECT, WIRE_SCALAR, span_of(NULL, 0));
}

static void turn_away(struct gateway *g, int fd, const struct addr *peer, const char *limit,
                      const struct transport *transport, void *transport_state)
{
    log_refused(g, peer, limit);
    transport->free(transport_state);
    close(fd);
}

static void on_enter(void *owner, int fd, const struct addr *peer,
                     const struct transport *transport, void *transport_state)
{
    struct front *f = owner;
    struct gateway *g = f->gateway;
    const char *limit = refusal(g, peer);
    if (limit) {
        turn_away(g, fd, peer, limit, transport, transport_state);
        return;
    }
    struct client *c = clients_add(&g->clients);
    c->chan = chan_new(g->conns, fd, peer, transport, transport_state, &f->kind, c);
    if (!c->chan) {
        log_warn("a client could not be taken: %s", strerror(errno));
        clients_remove(&g->clients, c);
        return;
    }
    begin(g, c, peer);
}

/* ---- with the fallback: who is no fallback client comes here with the first bytes unread ---- */

static void on_other(void *owner, struct conn *conn)
{
    struct front *f = owner;
    struct gateway *g = f->gateway;
    const char *limit = refusal(g, conn_peer(conn));
    struct client *c = clients_add(&g->clients);
    c->chan = chan_adopt(conn, &f->kind, c);
    begin(g, c, conn_peer(conn));
    if (!limit)
        return;
    log_refused(g, conn_peer(conn), limit);
    chan_destroy(c->chan, GW_EFULL);
}

static bool may_come(void *owner, const struct http_request *r)
{
    const struct front *f = owner;
    return origin_is_allowed(&f->gateway->conf->origin, r);
}

static int open_lobby(struct front *f, int listener)
{
    const struct gateway *g = f->gateway;
    const struct gateway_conf *gc = g->conf;
    const struct lobby_conf conf = {
        .conns = g->conns,
        .run_dir = g->env->run_dir,
        .section = g->env->section->name,
        .listener = listener,
        .slot = g->env->slot,
        .max_message_bytes = gc->max_message_bytes,
        .max_head_bytes = gc->max_head_bytes,
        .request_timeout_ms = gc->handshake_timeout_ms,
        .resume_ms = gc->sse_resume_ms,
        .replay_bytes = gc->sse_replay_bytes,
        .owner = f,
        .on_other = on_other,
        .on_client = on_enter,
        .may_come = may_come,
    };
    return lobby_open(&f->lobby, &conf);
}

/* The client behind a trusted proxy, which from now on is the peer for events and limits. false:
 * there are too many from there. */
static bool look_behind_proxy(struct gateway *g, struct chan *ch, const struct http_request *r)
{
    struct addr from;
    struct conn *conn = chan_conn(ch);
    if (!forwarded_from(r, &g->trusted, conn_peer(conn), &from))
        return true;
    bool is_full = is_address_full(g, &from);
    bool is_fast = is_too_fast(g, &from);
    count_out(g, conn_peer(conn));
    conn_set_peer(conn, &from);
    count_in(g, &from);
    if (!is_full && !is_fast)
        return true;
    log_refused(g, &from, is_full ? ADDRESS_LIMIT : ARRIVALS_LIMIT);
    if (is_full)
        chan_refuse(ch, 503, "Too many connections.");
    else
        chan_refuse(ch, 429, "Too many connections in a short time."); /* RFC 6585 §4 */
    return false;
}

static void on_open(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct client *c = owner;
    if (!c || !ev->request)
        return;
    struct gateway *g = front_of(c)->gateway;
    if (!look_behind_proxy(g, ch, ev->request))
        return;
    char from[ADDR_TEXT_MAX];
    addr_ip_text(conn_peer(chan_conn(ch)), from);
    if (!origin_is_allowed(&g->conf->origin, ev->request)) {
        static struct log_rate rate;
        struct span origin = http_header(ev->request, "Origin");
        log_limited(&rate, LOG_WARN, "%s refused: a page of %.*s may not connect (see origin)",
                    from, (int)origin.len, (const char *)origin.at);
        chan_refuse(ch, 403, "Pages of this origin may not connect here.");
        return;
    }
    handshake_begin(g, c, ev->request, from);
}

static void on_message(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct client *c = owner;
    if (!c)
        return;
    struct gateway *g = front_of(c)->gateway;
    if (!rates_allow(g, c))
        return;
    c->silent_n = -1;
    g->counts.requests_n++;
    uint8_t flag = ev->is_binary ? WIRE_SCALAR | WIRE_BINARY : WIRE_SCALAR;
    route_event(g, c, CMD_ON_MESSAGE, flag, ev->payload);
}

static void on_control(struct chan *ch, void *owner)
{
    struct client *c = owner;
    if (c && heartbeat_counts_frames(front_of(c)->gateway))
        c->silent_n = -1;
}

static void part(struct gateway *g, struct client *c, struct span goodbye);

/* From here on the client takes no message and sends none: for the workers it is gone. The body of
 * ON_CLOSE is that of its close frame (docs/wire.md §3). */
static void on_goodbye(struct chan *ch, void *owner, const struct codec_event *ev)
{
    uint8_t goodbye[CODEC_CLOSE_MAX];
    struct client *c = owner;
    if (!c)
        return;
    put_u16be(goodbye, ev->close_code);
    if (ev->payload.len > 0)
        memcpy(goodbye + 2, ev->payload.at, ev->payload.len);
    part(front_of(c)->gateway, c, span_of(goodbye, 2 + ev->payload.len));
}

/* An echo of what came before must not be overtaken by the close frame (Autobahn 3.2, 4.2.3). */
static bool on_broken(struct chan *ch, void *owner)
{
    struct client *c = owner;
    if (!c || !route_is_in_hand(c))
        return false;
    route_event(front_of(c)->gateway, c, CMD_ON_BROKEN, WIRE_SCALAR, span_of(NULL, 0));
    return true;
}

static void on_drain(struct chan *ch, void *owner)
{
    struct client *c = owner;
    if (c)
        slow_on_drain(front_of(c)->gateway, c);
}

static void on_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    struct client *c = owner;
    if (c)
        front_part(front_of(c)->gateway, c);
}

void front_part(struct gateway *g, struct client *c)
{
    part(g, c, span_of(NULL, 0));
}

static void part(struct gateway *g, struct client *c, struct span goodbye)
{
    route_event(g, c, CMD_ON_CLOSE, WIRE_SCALAR, goodbye);
    route_forget(g, c);
    slow_forget(g, c);
    groups_leave_all(&g->uids, c);
    groups_leave_all(&g->groups, c);
    heartbeat_remove(&g->heartbeat, c);
    count_out(g, conn_peer(chan_conn(c->chan)));
    chan_set_owner(c->chan, NULL);
    clients_remove(&g->clients, c);
}

void front_close_all(struct gateway *g)
{
    /* Nobody leaves the roster before the walk is over: channels close at the end of the turn. */
    uint32_t pos = 0;
    for (struct client *c = roster_next(&g->clients.all, &pos); c;
         c = roster_next(&g->clients.all, &pos))
        chan_close(c->chan, 1001, span_of(NULL, 0));
}

/* ---- the listener ---- */

/* Before TLS and before the fallback reads anything: what is one too many costs next to nothing. */
static void on_arrival(void *owner, int fd, const struct addr *peer,
                       const struct transport *transport, void *transport_state)
{
    struct front *f = owner;
    const char *limit = f->has_lobby ? guest_refusal(f, peer) : NULL;
    if (is_too_fast(f->gateway, peer))
        limit = ARRIVALS_LIMIT;
    if (limit)
        turn_away(f->gateway, fd, peer, limit, transport, transport_state);
    else if (f->has_lobby)
        lobby_enter(&f->lobby, fd, peer, transport, transport_state);
    else
        on_enter(f, fd, peer, transport, transport_state);
}

static const struct chan_events events = {
    .on_open = on_open,
    .on_message = on_message,
    .on_control = on_control,
    .on_goodbye = on_goodbye,
    .on_broken = on_broken,
    .on_drain = on_drain,
    .on_close = on_close,
};

static struct chan_kind kind_of(const struct gateway *g, const char *url)
{
    const struct gateway_conf *gc = g->conf;
    return (struct chan_kind){
        .codec = gateway_conf_codec(url),
        .codec_conf = {.message_max_bytes = gc->max_message_bytes,
                       .head_max_bytes = gc->max_head_bytes,
                       .fragments_max_n = (uint32_t)gc->max_frames_per_message,
                       .deflate = g->deflate},
        .conn_conf = {.in_max_bytes = gc->max_message_bytes + gc->max_head_bytes,
                      .out_max_bytes = gc->send_to_client_buffer_size,
                      .close_timeout_ms = gc->close_timeout_ms,
                      .handshake_timeout_ms = gc->handshake_timeout_ms,
                      .limits_memory = true,
                      .keeps_messages = gc->on_full == ON_FULL_DROP_OLD,
                      .is_unshared = true}, /* a gateway starts no processes */
        .events = &events,
        .open_timeout_ms = gc->handshake_timeout_ms,
    };
}

int front_start(struct front *f, struct gateway *g, const char *url, int fd,
                struct tls_context *tls)
{
    struct addr local = {0};
    int rc = sock_local(fd, &local);
    if (rc < 0) {
        log_error("%s: %s", url, strerror(-rc));
        return rc;
    }
    sock_limit_unsent(fd);
    *f = (struct front){.gateway = g, .kind = kind_of(g, url), .port = local.port};
    f->door = (struct door){.on_enter = on_arrival,
                            .owner = f,
                            .is_http = f->kind.codec->has_handshake,
                            .has_proxy_header = g->conf->door.has_proxy_header,
                            .trusted = &g->trusted,
                            .pace = &g->pace,
                            .timeout_ms = g->conf->handshake_timeout_ms};
    f->has_lobby = g->conf->has_sse && f->kind.codec == &ws_codec;
    if (f->has_lobby) {
        rc = open_lobby(f, (int)(f - g->fronts));
        if (rc < 0)
            return rc;
    }
    rc = door_open(&f->door, g->loop, fd, tls);
    if (rc < 0)
        log_error("%s: cannot accept: %s", url, strerror(-rc));
    return rc;
}

struct front *front_of(const struct client *c)
{
    return CONTAINER_OF((uintptr_t)chan_kind_of(c->chan), struct front, kind);
}

void front_stop(struct front *f)
{
    door_close(&f->door);
    lobby_close(&f->lobby);
}

void front_fini(struct front *f)
{
    lobby_fini(&f->lobby);
}
