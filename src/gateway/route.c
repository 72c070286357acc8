/* The way of an event: to the worker its client is bound to, or to where it can wait for one. */
#include "gateway/route.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/idmap.h"
#include "base/log.h"
#include "base/mem.h"
#include "chan/chan.h"
#include "gateway/gateway_conf.h"
#include "gateway/handshake.h"
#include "gateway/state.h"

/* A link's own queue gets this much, so that it always has something to send; more waits in the
 * backlog, from where it can still be routed anew. */
enum { LINK_QUEUE_MAX = 256 * 1024, LINK_QUEUE_LOW = 32 * 1024 };

enum { CHOKED_SHARE = 2 }; /* of what may wait before clients are slowed down */

static const char NO_WORKER[] = "no worker";

/* ---- one worker ---- */

static size_t pending_bytes(const struct worker *w)
{
    size_t queued = w->peer ? (size_t)conn_queued(w->peer->conn) : 0;
    return queued + backlog_bytes(&w->waiting) + w->busy_bytes;
}

/* What a peer that did not offer extensions must not see (docs/wire.md §3). */
static void take_out_ours(struct wire_packet *event)
{
    if (event->flag & WIRE_IP6)
        event->ext = span_skip(event->ext, WIRE_IP6_BYTES);
    event->flag &= (uint8_t) ~(WIRE_BINARY | WIRE_IP6);
    if (event->cmd == CMD_ON_CLOSE)
        event->body = span_of(NULL, 0);
}

/* Nobody waits for an answer to these. */
static bool can_wait(uint8_t cmd)
{
    return cmd == CMD_ON_CONNECT || cmd == CMD_ON_WEBSOCKET_CONNECT || cmd == CMD_ON_CLOSE;
}

/* false: the link takes nothing now. */
static bool write_event(struct worker *w, struct wire_packet event)
{
    struct conn *conn = w->peer->conn;
    if (conn_queued(conn) >= LINK_QUEUE_MAX)
        return false;
    if (event.cmd == CMD_ON_HANDSHAKE && !w->has_judge) {
        if (!handshake_pass(w->peer->gateway, event.connection_id))
            return true;
        event.cmd = CMD_ON_WEBSOCKET_CONNECT;
    }
    bool is_about_buffers = event.cmd == CMD_ON_BUFFER_FULL || event.cmd == CMD_ON_BUFFER_DRAIN;
    if (is_about_buffers && !w->hears_buffers)
        return true;
    if (event.cmd == CMD_ON_BROKEN && !w->speaks_ours)
        return true; /* the channel does not wait for long */
    if (!w->speaks_ours)
        take_out_ours(&event);
    size_t size = wire_size(&event);
    uint8_t *to = conn_reserve(conn, size);
    if (!to)
        return false;
    wire_encode(to, &event);
    peer_commit_event(w->peer, size, can_wait(event.cmd));
    w->sent_n++;
    return true;
}

/* One that says nothing any more is written nothing: an event that waits here goes to another
 * worker when that link ends, one that was written is lost with it. silence_broken() goes on. */
static bool is_listening(const struct worker *w)
{
    return w->phase == WORKER_SERVING && !silence_is_likely(w->peer);
}

static void give(struct gateway *g, struct worker *w, const struct wire_packet *event)
{
    bool listens = is_listening(w);
    if (listens && w->waiting.events_n == 0 && write_event(w, *event))
        return;
    backlog_add(&w->waiting, loop_now_ms(g->loop), event);
    if (listens)
        conn_want_drain(w->peer->conn, LINK_QUEUE_LOW);
}

void route_relieve(struct gateway *g, struct worker *w)
{
    if (w->feeders.len > 0 && pending_bytes(w) <= g->conf->send_to_worker_buffer_size / 2)
        feeders_resume_all(&w->feeders, &g->clients);
}

void route_on_drain(struct gateway *g, struct worker *w)
{
    struct wire_packet event;
    uint64_t at_ms;
    bool listens = is_listening(w);
    while (listens && backlog_first(&w->waiting, &event, &at_ms) && write_event(w, event))
        backlog_drop_first(&w->waiting);
    route_relieve(g, w);
    if (listens && (w->waiting.events_n > 0 || w->feeders.len > 0))
        conn_want_drain(w->peer->conn, LINK_QUEUE_LOW);
}

static void slow_down(struct gateway *g, struct worker *w, struct client *c)
{
    if (pending_bytes(w) < g->conf->send_to_worker_buffer_size)
        return;
    feeders_pause(&w->feeders, c);
    if (is_listening(w))
        conn_want_drain(w->peer->conn, LINK_QUEUE_LOW);
}

/* ---- no worker ---- */

static void give_up(struct timer *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, route.grace);
    static struct log_rate rate;
    struct wire_packet event;
    uint64_t at_ms = 0, now_ms = loop_now_ms(g->loop), grace_ms = g->conf->worker_grace_ms;
    while (backlog_first(&g->route.orphans, &event, &at_ms) && at_ms + grace_ms <= now_ms) {
        struct client *c = clients_find(&g->clients, event.connection_id);
        g->counts.dropped_n++;
        log_limited(&rate, LOG_WARN,
                    "no worker for %" PRIu64 " ms: %s of connection %" PRIu32
                    " dropped and its client closed (%" PRIu64 " events dropped so far); are the "
                    "workers running, with the same secret_key and register_address?",
                    grace_ms, wire_cmd_name(event.cmd), event.connection_id, g->counts.dropped_n);
        backlog_drop_first(&g->route.orphans);
        if (c)
            chan_close(c->chan, 1013, span_str(NO_WORKER));
    }
    if (backlog_bytes(&g->route.orphans) <= g->conf->send_to_worker_buffer_size / 2)
        feeders_resume_all(&g->route.orphan_feeders, &g->clients);
    if (g->route.orphans.events_n > 0)
        timer_start(g->loop, t, at_ms + grace_ms - now_ms);
}

static void keep_orphan(struct gateway *g, struct client *c, const struct wire_packet *event)
{
    struct route *r = &g->route;
    backlog_add(&r->orphans, loop_now_ms(g->loop), event);
    if (!timer_is_running(&r->grace))
        timer_start(g->loop, &r->grace, g->conf->worker_grace_ms);
    if (c && backlog_bytes(&r->orphans) >= g->conf->send_to_worker_buffer_size)
        feeders_pause(&r->orphan_feeders, c);
}

/* ---- one event ---- */

/* The worker that the client's events go to now; it keeps the one it has while that takes events or
 * will say where they go. NULL: there is none. */
static struct worker *worker_of(struct gateway *g, struct client *c)
{
    if (c->worker && c->worker->phase <= WORKER_DRAINING)
        return c->worker;
    struct worker *w = workers_choose(&g->route.workers, (enum gateway_router)g->conf->router);
    if (w || (c->worker && c->worker->phase == WORKER_GONE))
        worker_bind(w, c);
    return w;
}

static void deliver(struct gateway *g, struct client *c, const struct wire_packet *event)
{
    struct worker *w = c->worker;
    struct backlog *in_hand =
        w && w->phase == WORKER_DRAINED ? idmap_get(w->busy, event->connection_id) : NULL;
    if (in_hand) {
        w->busy_bytes += wire_size(event);
        backlog_add(in_hand, loop_now_ms(g->loop), event);
    } else {
        w = worker_of(g, c);
        if (!w) {
            keep_orphan(g, c, event);
            return;
        }
        give(g, w, event);
    }
    slow_down(g, w, c);
}

/* The session of now, behind an address that the head has no room for (docs/wire.md §3). It borrows
 * the client's memory or g->route.ext. */
static void put_session(struct gateway *g, const struct client *c, struct wire_packet *event)
{
    const struct addr *from = conn_peer(chan_conn(c->chan));
    struct buf *ext = &g->route.ext;
    event->flag &= (uint8_t)~WIRE_IP6;
    event->ext = client_session(c);
    if (from->family != AF_INET6)
        return;
    buf_clear(ext);
    buf_put(ext, from->ip, WIRE_IP6_BYTES);
    buf_put_span(ext, event->ext);
    event->ext = buf_span(ext);
    event->flag |= WIRE_IP6;
}

bool route_is_in_hand(const struct client *c)
{
    const struct worker *w = c->worker;
    return w && w->speaks_ours && w->phase == WORKER_SERVING &&
           (w->sent_n > w->done_n || w->waiting.events_n > 0);
}

void route_event(struct gateway *g, struct client *c, uint8_t cmd, uint8_t flag, struct span body)
{
    const struct addr *from = conn_peer(chan_conn(c->chan));
    struct wire_packet event = {
        .cmd = cmd,
        .flag = flag,
        .local_ip = g->local_ip,
        .local_port = g->local_port,
        .client_ip = addr_ip4(from),
        .client_port = from->port,
        .gateway_port = front_of(c)->port,
        .connection_id = c->id,
        .body = body,
    };
    put_session(g, c, &event);
    deliver(g, c, &event);
}

void route_forget(struct gateway *g, struct client *c)
{
    worker_client_closed(c);
}

void route_hand_out(struct gateway *g, struct backlog *events)
{
    struct wire_packet event;
    uint64_t at_ms;
    struct idmap *heirs =
        idmap_new(); /* of clients that are gone: all their events to one worker */
    for (; backlog_first(events, &event, &at_ms); backlog_drop_first(events)) {
        struct client *c = clients_find(&g->clients, event.connection_id);
        if (c) {
            /* The worker that takes it over trusts the first session that it sees, and while the
             * event waited a callback in hand may have written another one. */
            put_session(g, c, &event);
            deliver(g, c, &event);
            continue;
        }
        struct worker *w = idmap_get(heirs, event.connection_id);
        if (!w)
            w = workers_choose(&g->route.workers, (enum gateway_router)g->conf->router);
        if (!w) {
            keep_orphan(g, NULL, &event);
            continue;
        }
        idmap_set(heirs, event.connection_id, w);
        give(g, w, &event);
    }
    idmap_free(heirs);
    backlog_fini(events);
}

/* ---- links ---- */

static void count_lost(struct gateway *g, const struct worker *w)
{
    if (!w->speaks_ours) {
        log_warn("worker %s is gone; how many of its %" PRIu64 " events it had not handled is not "
                 "known",
                 w->key, w->sent_n);
        return;
    }
    uint64_t lost_n = w->sent_n - w->done_n;
    if (lost_n == 0) {
        log_info("worker %s is gone, it had handled all events", w->key);
        return;
    }
    g->counts.lost_n += lost_n;
    log_warn("worker %s is gone with %" PRIu64 " events in its hands; they are lost, its clients "
             "go to other workers",
             w->key, lost_n);
}

/* Everything that was not written to the worker goes to where its clients are bound now. */
static void hand_out_all(struct gateway *g, struct worker *w)
{
    struct backlog waiting = backlog_take(&w->waiting);
    route_hand_out(g, &waiting);
    struct idmap *busy = w->busy;
    w->busy = NULL;
    w->busy_bytes = 0;
    uint64_t id;
    void *in_hand;
    size_t pos = 0;
    while (busy && idmap_next(busy, &pos, &id, &in_hand)) {
        route_hand_out(g, in_hand);
        mem_free(in_hand);
    }
    if (busy)
        idmap_free(busy);
    feeders_resume_all(&w->feeders, &g->clients);
}

static void take_over(struct gateway *g, struct worker *w)
{
    struct peer *old = w->peer;
    log_warn("worker %s connected again; its older link is closed and the new one takes over. Do "
             "two [worker] sections on that host have the same name?",
             w->key);
    old->worker = NULL; /* so that its end does not touch the new link: docs/wire.md §5 */
    conn_close(old->conn);
    w->phase = WORKER_SERVING;
    w->record = 0;
    w->sent_n = w->done_n = 0;
}

void route_attach(struct gateway *g, struct peer *peer, struct span key)
{
    struct worker *w = workers_find(&g->route.workers, key);
    if (w)
        take_over(g, w);
    else
        w = workers_add(&g->route.workers, key);
    w->peer = peer;
    w->speaks_ours = peer->speaks_ours;
    w->has_judge = peer->has_judge;
    w->skips_requests = peer->skips_requests;
    w->hears_buffers = peer->hears_buffers;
    peer->worker = w;
    log_info("worker %s connected", w->key);
    hand_out_all(g, w);

    struct backlog orphans = backlog_take(&g->route.orphans);
    timer_stop(g->loop, &g->route.grace);
    route_hand_out(g, &orphans);
    feeders_resume_all(&g->route.orphan_feeders, &g->clients);
}

void route_detach(struct gateway *g, struct peer *peer)
{
    struct worker *w = peer->worker;
    if (!w)
        return;
    peer->worker = NULL;
    count_lost(g, w);
    worker_hold(w); /* the last client may leave it below */
    workers_retire(&g->route.workers, w);
    hand_out_all(g, w);
    worker_let_go(w);
}

/* ---- the whole ---- */

void route_init(struct gateway *g)
{
    g->route.grace.fire = give_up;
}

void route_fini(struct gateway *g)
{
    timer_stop(g->loop, &g->route.grace);
    backlog_fini(&g->route.orphans);
    buf_fini(&g->route.ext);
    feeders_fini(&g->route.orphan_feeders);
    workers_fini(&g->route.workers);
}

bool route_is_idle(const struct gateway *g)
{
    const struct workers *ws = &g->route.workers;
    for (size_t i = 0; i < workers_len(ws); i++) {
        const struct worker *w = workers_at(ws, i);
        if (pending_bytes(w) > 0 || (w->speaks_ours && w->done_n < w->sent_n))
            return false;
    }
    return workers_len(ws) == 0 || g->route.orphans.events_n == 0;
}

bool route_is_choked(const struct gateway *g)
{
    size_t places_n = workers_len(&g->route.workers);
    uint64_t each_max = CHOKED_SHARE * g->conf->send_to_worker_buffer_size;
    return route_queued_bytes(g) >= each_max * (places_n > 0 ? places_n : 1);
}

uint64_t route_queued_bytes(const struct gateway *g)
{
    uint64_t bytes = backlog_bytes(&g->route.orphans);
    for (size_t i = 0; i < workers_len(&g->route.workers); i++)
        bytes += pending_bytes(workers_at(&g->route.workers, i));
    return bytes;
}
