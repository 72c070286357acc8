/* The inner port: workers and client libraries, which speak the wire. */
#include "gateway/inner.h"

#include <errno.h>
#include <string.h>

#include <gw/err.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/cmd.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "net/sock.h"
#include "proto/wire.h"

enum {
    GREETING_MAX_BYTES = 16 * 1024, /* largest packet of a peer that has not shown the key */
    PING_MS = 25 * 1000,            /* docs/wire.md §3, step 4 */
    LATE_MS = 1,
    ANSWERS_LOW_BYTES = 32 * 1024,
};

void peer_send(struct peer *p, const struct wire_packet *packet)
{
    size_t size = wire_size(packet);
    uint8_t *to = conn_reserve(p->conn, size);
    if (!to)
        return;
    wire_encode(to, packet);
    conn_commit(p->conn, size);
}

/* To wake a worker costs more than the work that a client's coming and going makes there, and when
 * many come and go every turn would wake it. */
void peer_commit_event(struct peer *p, size_t n, bool can_wait)
{
    struct loop *loop = p->gateway->loop;
    if (can_wait && p->pushed_ms == loop_now_ms(loop) && !conn_is_pushed(p->conn)) {
        conn_commit_quietly(p->conn, n);
        if (!timer_is_running(&p->late))
            timer_start(loop, &p->late, LATE_MS);
        return;
    }
    conn_commit(p->conn, n);
    p->pushed_ms = loop_now_ms(loop);
}

static void on_late(struct timer *t)
{
    struct peer *p = CONTAINER_OF(t, struct peer, late);
    if (conn_queued(p->conn) == 0)
        return;
    conn_push(p->conn);
    p->pushed_ms = loop_now_ms(p->gateway->loop);
}

void peer_authorize(struct peer *p)
{
    p->is_authorized = true;
    conn_set_deadline(p->conn, 0);
}

/* ---- answers ---- */

static bool takes_packets(const struct peer *p)
{
    return (p->worker || p->takes_packets) && p->speaks_ours;
}

static void put_parts(struct peer *p, struct span value)
{
    for (; value.len > REPLY_PART_MAX; value = span_skip(value, REPLY_PART_MAX))
        peer_send(p, &(struct wire_packet){.cmd = CMD_REPLY,
                                           .flag = WIRE_MORE,
                                           .body = span_of(value.at, REPLY_PART_MAX)});
    peer_send(p, &(struct wire_packet){.cmd = CMD_REPLY, .body = value});
}

void peer_reply(struct peer *p, struct span value)
{
    uint64_t before = conn_queued(p->conn);
    if (takes_packets(p)) {
        put_parts(p, value);
    } else {
        uint8_t *to = conn_reserve(p->conn, 4 + value.len);
        if (!to)
            return;
        put_u32be(to, (uint32_t)value.len);
        memcpy(to + 4, value.at, value.len);
        conn_commit(p->conn, 4 + value.len);
    }
    p->answer_bytes += conn_queued(p->conn) - before;
}

void peer_reply_begin(struct peer *p, uint64_t value_bytes)
{
    uint8_t *to = takes_packets(p) ? NULL : conn_reserve(p->conn, 4);
    if (!to)
        return;
    put_u32be(to, (uint32_t)value_bytes);
    conn_commit(p->conn, 4);
    p->answer_bytes += 4;
}

void peer_reply_part(struct peer *p, struct chunk *chunk, uint32_t off, bool is_last)
{
    uint64_t before = conn_queued(p->conn);
    uint32_t len = chunk->len - off;
    uint8_t *to = takes_packets(p) ? conn_reserve(p->conn, WIRE_HEAD) : NULL;
    if (to) {
        wire_encode(to, &(struct wire_packet){.cmd = CMD_REPLY, .flag = is_last ? 0 : WIRE_MORE});
        put_u32be(to, WIRE_HEAD + len);
        conn_commit(p->conn, WIRE_HEAD);
    }
    if (conn_queue(p->conn, chunk, off, len) == 0)
        p->answer_bytes += conn_queued(p->conn) - before;
}

static void say_hello(struct peer *p, bool wants_interest)
{
    const struct role_env *env = p->gateway->env;
    struct buf json = {0};
    char page[NOTICES_NAME_MAX];
    buf_puts(&json, "{\"gatehouse\":1");
    if (wants_interest)
        buf_puts(&json, ",\"interest\":1");
    if (wants_interest && p->gateway->herald.page) {
        notices_name(env->notices, env->notices_pos, page);
        buf_printf(&json, ",\"notices\":\"%s\"", page);
    }
    buf_puts(&json, "}");
    peer_send(
        p, &(struct wire_packet){.cmd = CMD_HELLO, .flag = WIRE_SCALAR, .body = buf_span(&json)});
    buf_fini(&json);
}

void peer_accept_ours(struct peer *p, bool wants_interest)
{
    if (!p->speaks_ours)
        say_hello(p, wants_interest);
    p->speaks_ours = true;
}

/* A peer that asks faster than it reads is not read from until it has taken its answers. Events in
 * its queue do not count: a worker that answers them must be heard, however many wait for it. */
static bool hold_if_full(struct peer *p)
{
    uint64_t queued = conn_queued(p->conn);
    if (p->answer_bytes > queued)
        p->answer_bytes = queued;
    if (p->answer_bytes < p->gateway->conf->send_to_worker_buffer_size)
        return false;
    if (!p->is_held)
        conn_pause(p->conn);
    p->is_held = true;
    conn_want_drain(p->conn, ANSWERS_LOW_BYTES);
    return true;
}

static void on_drain(struct conn *conn, void *owner)
{
    struct peer *p = owner;
    p->answer_bytes = 0;
    if (p->is_held)
        conn_resume(conn);
    p->is_held = false;
    if (p->worker)
        route_on_drain(p->gateway, p->worker);
    if (p->job)
        job_on_drain(p->gateway, p);
}

static void complain(const struct peer *p, int rc)
{
    static struct log_rate rate;
    char from[ADDR_TEXT_MAX];
    addr_text(conn_peer(p->conn), from);
    log_limited(&rate, LOG_WARN, "inner peer %s closed: %s", from, gw_strerror(rc));
}

void peer_refuse(struct peer *p, int rc)
{
    static struct log_rate rate;
    char from[ADDR_TEXT_MAX];
    if (!takes_packets(p)) {
        complain(p, rc);
        conn_close_for(p->conn, rc);
        return;
    }
    peer_send(p, &(struct wire_packet){.cmd = CMD_REPLY, .flag = WIRE_SCALAR});
    if (rc == GW_ETOOBIG)
        return; /* told by the job */
    addr_text(conn_peer(p->conn), from);
    log_limited(&rate, LOG_WARN, "a query of inner peer %s is not answered: %s", from,
                gw_strerror(rc));
}

static ssize_t on_bytes(struct conn *conn, void *owner, uint8_t *at, size_t len)
{
    struct peer *p = owner;
    struct span rest = span_of(at, len);
    silence_broken(p);
    while (!conn_is_closing(conn) && !p->job && !hold_if_full(p)) {
        size_t max_bytes =
            p->is_authorized ? gateway_conf_packet_max(p->gateway->conf) : GREETING_MAX_BYTES;
        struct wire_packet packet;
        ssize_t n = wire_decode(rest, max_bytes, &packet);
        if (n == 0)
            break;
        p->ahead = span_skip(rest, n > 0 ? (size_t)n : 0);
        int rc = n < 0 ? (int)n : cmd_run(p->gateway, p, &packet);
        if (p->place != PEER_NOT_IN_LINE)
            job_was_let_in(p->gateway, p);
        if (rc == CMD_LATER)
            break;
        if (rc < 0) {
            complain(p, rc);
            return rc;
        }
        rest = p->ahead;
    }
    p->ahead = span_of(NULL, 0);
    return (ssize_t)(len - rest.len);
}

static void on_close(struct conn *conn, void *owner, int why)
{
    struct peer *p = owner;
    job_forget(p->gateway, p);
    herald_forget(p->gateway, p);
    route_detach(p->gateway, p);
    timer_stop(p->gateway->loop, &p->late);
    list_remove(&p->node);
    mem_free(p);
}

/* A peer that may do nothing yet does not stay. */
static void on_open(struct conn *conn, void *owner)
{
    struct peer *p = owner;
    if (!p->is_authorized)
        conn_set_deadline(conn, p->gateway->conf->handshake_timeout_ms);
}

static void on_deadline(struct conn *conn, void *owner)
{
    struct peer *p = owner;
    complain(p, p->is_authorized ? GW_ETIMEOUT : GW_EAUTH);
    conn_destroy(conn, GW_ETIMEOUT);
}

static const struct conn_events events = {.on_open = on_open,
                                          .on_bytes = on_bytes,
                                          .on_drain = on_drain,
                                          .on_deadline = on_deadline,
                                          .on_close = on_close};

static struct peer *add(struct gateway *g, int fd, const struct addr *from,
                        const struct transport *transport, void *transport_state)
{
    struct peer *p = mem_zalloc(sizeof(*p));
    p->gateway = g;
    p->late.fire = on_late;
    herald_audience_init(&p->audience);
    p->is_authorized = g->conf->secret_key[0] == '\0';
    p->conn =
        conn_new(g->conns, fd, from, transport, transport_state, &g->inner.conn_conf, &events, p);
    if (!p->conn) {
        log_warn("an inner peer could not be taken: %s", strerror(errno));
        mem_free(p);
        return NULL;
    }
    list_append(&g->inner.peers, &p->node);
    return p;
}

static void on_enter(void *owner, int fd, const struct addr *from,
                     const struct transport *transport, void *transport_state)
{
    (void)add(owner, fd, from, transport, transport_state);
}

struct peer *inner_adopt(struct gateway *g, int fd)
{
    const struct addr from = {.family = AF_UNIX};
    struct peer *p = add(g, fd, &from, &plain_transport, NULL);
    if (!p)
        return NULL;
    p->is_authorized = p->speaks_ours = p->takes_packets = true;
    return p;
}

static void on_ping(struct timer *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, inner.ping);
    struct wire_packet ping = {.cmd = CMD_PING, .flag = WIRE_SCALAR};
    for (size_t i = 0; i < workers_len(&g->route.workers); i++)
        peer_send(workers_at(&g->route.workers, i)->peer, &ping);
    timer_start(g->loop, t, PING_MS);
}

int inner_start(struct gateway *g, int fd)
{
    struct inner *in = &g->inner;
    in->conn_conf = (struct conn_conf){
        .in_max_bytes = gateway_conf_packet_max(g->conf),
        .out_max_bytes = UINT64_MAX, /* see hold_if_full() and route.c */
        .close_timeout_ms = g->conf->close_timeout_ms,
        .handshake_timeout_ms = g->conf->handshake_timeout_ms,
        .is_bulk = true,
    };
    in->door = (struct door){.on_enter = on_enter,
                             .owner = g,
                             .may_be_plain = g->inner_tls.mode == PEER_TLS_OPTIONAL,
                             .timeout_ms = g->conf->handshake_timeout_ms};
    sock_tune_link(fd); /* the clients of a worker that vanished go to another */
    int rc = door_open(&in->door, g->loop, fd, g->inner_tls.accepting);
    if (rc < 0) {
        log_error("the inner port cannot accept: %s", gw_strerror(rc));
        return rc;
    }
    in->ping.fire = on_ping;
    if (strcmp(g->conf->lan_ip, "127.0.0.1") != 0)
        timer_start(g->loop, &in->ping, PING_MS);
    return 0;
}

void inner_stop(struct gateway *g)
{
    struct inner *in = &g->inner;
    door_close(&in->door);
    timer_stop(g->loop, &in->ping);
    for (struct list *n = in->peers.next; n != &in->peers; n = n->next)
        conn_close(CONTAINER_OF(n, struct peer, node)->conn);
}
