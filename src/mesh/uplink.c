/* States: down → dialling (name, connect) → up → down. A link that is lost is dialled again by its
 * owner, which knows whether the gateway is still listed. */
#include "mesh/uplink.h"

#include <errno.h>

#include <gw/err.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/command.h"
#include "net/peer_tls.h"
#include "proto/phpser.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    CLOSE_TIMEOUT_MS = 2000,
    SUSPICIOUS_MS = 1000,
    LONG_STALL_MS = 1000,
    TELL_LATE_MS = 10,
};

struct stall {
    struct list node;
    struct co *co;
};

/* ---- coming and going ---- */

static bool has_to_tell(const struct uplink *u)
{
    return u->done_n > 0 && u->state == UPLINK_UP && u->is_ours;
}

static void tell_now(struct uplink *u)
{
    uint8_t count[4];

    if (!has_to_tell(u))
        return;
    put_u32be(count, u->done_n);
    u->done_n = 0;
    uplink_send_cmd(u, CMD_DONE, 0, span_of(count, sizeof count));
}

static void send_ping(struct uplink *u)
{
    uplink_send_cmd(u, CMD_PING, ++u->pings_n, span_of(NULL, 0));
}

static void send_mark(struct uplink *u)
{
    if (!u->tells_interest || !holdings_mark(&u->holdings))
        return;
    send_ping(u);
    u->mark = u->pings_n;
}

/* Behind something else the count costs nothing. Alone it would wake the gateway, which does not
 * wait for it: callbacks that send nothing (on_connect, on_close) are many when clients come and
 * go. */
static void tell(struct task *t)
{
    struct uplink *u = CONTAINER_OF(t, struct uplink, tell);

    send_mark(u);
    if (!has_to_tell(u))
        return;
    if (conn_queued(chan_conn(u->chan)) > 0)
        tell_now(u);
    else if (!timer_is_running(&u->tell_late))
        timer_start(conn_pool_loop(u->kind->conns), &u->tell_late, TELL_LATE_MS);
}

static void on_tell_late(struct timer *t)
{
    tell_now(CONTAINER_OF(t, struct uplink, tell_late));
}

void uplink_will_tell(struct uplink *u)
{
    loop_at_flush(conn_pool_loop(u->kind->conns), &u->tell);
}

/* ---- whether it is still there ---- */

static void resume_stalled(struct uplink *u)
{
    struct list ready;

    list_init(&ready);
    list_take_all(&ready, &u->stalled);
    while (!list_is_empty(&ready)) {
        struct stall *s = CONTAINER_OF(ready.next, struct stall, node);
        list_remove(&s->node);
        fibers_resume(u->kind->fibers, s->co);
    }
}

/* Whoever waits for it waits no more. What is queued for it stays, and leaves when it is back. */
static void on_look(struct timer *t)
{
    struct uplink *u = CONTAINER_OF(t, struct uplink, look);

    if (!u->is_paused && pulse_look(&u->pulse)) {
        log_warn("gateway %s has said nothing for %d s: it is stuck or cut off. Nobody waits for "
                 "it; queries go without it, and messages beyond its full queue are dropped",
                 u->address, PULSE_QUIET_MAX * PULSE_MS / 1000);
        resume_stalled(u);
    }
    if (u->pong == u->pings_n)
        send_ping(u);
    timer_start(conn_pool_loop(u->kind->conns), t, PULSE_MS);
}

static void hear(struct uplink *u)
{
    u->has_heard = true;
    if (pulse_hear(&u->pulse))
        log_info("gateway %s is back", u->address);
}

static void on_retry(struct timer *t)
{
    uplink_dial(CONTAINER_OF(t, struct uplink, retry));
}

struct uplink *uplink_new(const struct uplink_kind *kind, const char *address)
{
    struct uplink *u = mem_zalloc(sizeof *u);

    u->kind = kind;
    u->address = mem_strdup(address);
    u->clients = idmap_new();
    u->retry.fire = on_retry;
    u->look.fire = on_look;
    u->tell.run = tell;
    u->tell_late.fire = on_tell_late;
    list_init(&u->line);
    list_init(&u->stalled);
    return u;
}

void uplink_free(struct uplink *u)
{
    if (!u)
        return;
    struct loop *loop = conn_pool_loop(u->kind->conns);
    timer_stop(loop, &u->retry);
    timer_stop(loop, &u->tell_late);
    task_cancel(loop, &u->tell);
    asker_free(u->asker);
    idmap_free(u->clients);
    mem_free(u->address);
    mem_free(u);
}

static void go_down(struct uplink *u, int why)
{
    bool was_up = u->state == UPLINK_UP;
    struct list owed;

    u->state = UPLINK_DOWN;
    u->chan = NULL;
    u->is_tried = true;
    u->is_ours = false;
    u->tells_interest = false;
    u->done_n = 0;
    u->drain = DRAIN_NO;
    u->is_paused = false;
    holdings_fini(&u->holdings);
    timer_stop(conn_pool_loop(u->kind->conns), &u->look);
    u->pulse = (struct pulse){0};
    u->pong = u->pings_n;
    asker_free(u->asker);
    u->asker = NULL;
    list_init(&owed);
    list_take_all(&owed, &u->line);
    while (!list_is_empty(&owed))
        query_fail(&owed, why < 0 ? why : GW_ECLOSED);
    resume_stalled(u);
    u->kind->events->on_down(u, u->kind->owner, was_up);
}

/* As GatewayClient, with our offer; a gateway of the original ignores that and says nothing. */
static void say_offer(struct uplink *u)
{
    struct buf hello = {0};

    command_put_link_offer(&hello, u->kind->secret);
    if (chan_send_raw(u->chan, buf_span(&hello)) < 0)
        chan_destroy(u->chan, GW_ECLOSED);
    buf_fini(&hello);
}

static void say_hello(struct uplink *u)
{
    struct wire_packet p = command_of(CMD_WORKER_CONNECT);
    struct buf body = {0};

    unsigned offers = WORKER_OFFERS_OURS | (u->kind->has_judge ? WORKER_OFFERS_TO_JUDGE : 0U) |
                      (u->kind->skips_requests ? WORKER_SKIPS_REQUESTS : 0U) |
                      (u->kind->hears_buffers ? WORKER_OFFERS_TO_HEAR : 0U);
    if (command_put_worker_connect(&body, u->kind->worker_key, u->kind->secret, offers) < 0)
        log_fatal("worker key or secret are not UTF-8, which the config check refuses");
    p.body = buf_span(&body);
    if (uplink_send(u, &p) < 0)
        chan_destroy(u->chan, GW_ECLOSED); /* closing already: on_down tells */
    buf_fini(&body);
}

static void on_open(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct uplink *u = owner;

    u->state = UPLINK_UP;
    u->is_tried = true;
    u->has_heard = false;
    u->done_n = 0; /* events of an earlier link may have ended since it was lost */
    u->since_ms = loop_now_ms(conn_pool_loop(u->kind->conns));
    if (u->kind->worker_key)
        say_hello(u);
    else
        say_offer(u);
    u->kind->events->on_up(u, u->kind->owner);
}

static void explain_loss(const struct uplink *u, int why)
{
    static struct log_rate rate;
    uint64_t up_ms = loop_now_ms(conn_pool_loop(u->kind->conns)) - u->since_ms;

    if (why == 0)
        return;
    if (u->state != UPLINK_UP)
        log_limited(&rate, LOG_WARN, "cannot connect to gateway %s: %s", u->address,
                    gw_strerror(why));
    else if (!u->has_heard && up_ms < SUSPICIOUS_MS && why != GW_EPROTO)
        log_limited(&rate, LOG_WARN,
                    "gateway %s closed the connection at once: its secret_key is another one, or a "
                    "second worker uses the key %s",
                    u->address, u->kind->worker_key ? u->kind->worker_key : "(none)");
    else
        log_limited(&rate, LOG_WARN, "lost gateway %s: %s", u->address, gw_strerror(why));
}

static void on_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    struct uplink *u = owner;

    explain_loss(u, why);
    go_down(u, why);
}

static void on_drain(struct chan *ch, void *owner)
{
    resume_stalled(owner);
}

/* ---- packets ---- */

/* What a CMD_HELLO says beyond "gatehouse":1. */
static bool offers_interest(struct span json)
{
    struct php_doc *doc = php_doc_new();
    const struct php_value *hello = php_read_json(doc, json);
    const struct php_value *v =
        hello && php_type(hello) == PHP_ARRAY ? php_get(hello, "interest") : NULL;
    bool is_offered = v && php_type(v) == PHP_INT && php_int(v) == 1;

    php_doc_free(doc);
    return is_offered;
}

static void on_hello(struct uplink *u, const struct wire_packet *p)
{
    u->is_ours = true;
    u->tells_interest = offers_interest(p->body);
    if (u->tells_interest)
        timer_start(conn_pool_loop(u->kind->conns), &u->look, PULSE_MS);
    if (holdings_miss(&u->holdings)) /* what was sent before was not noted */
        uplink_will_tell(u);
}

static void on_interest(struct uplink *u, const struct wire_packet *p)
{
    if (holdings_hear(&u->holdings, p->body) < 0)
        chan_destroy(u->chan, GW_EPROTO);
}

/* Answers all pings up to its own. */
static void on_pong(struct uplink *u, const struct wire_packet *p)
{
    bool is_behind_mark = (int32_t)(p->connection_id - u->mark) >= 0;

    u->pong = p->connection_id;
    if (u->holdings.is_marked && is_behind_mark && holdings_marked(&u->holdings))
        uplink_will_tell(u);
}

static void on_reply(struct uplink *u, const struct wire_packet *p)
{
    if (list_is_empty(&u->line))
        chan_destroy(u->chan, GW_EPROTO);
    else if (p->flag & WIRE_MORE)
        query_part(&u->line, p->body);
    else if (p->flag & WIRE_SCALAR && p->body.len == 0)
        query_fail(&u->line, GW_ETOOBIG);
    else
        query_answer(&u->line, p->body);
}

static void on_ping(struct uplink *u, const struct wire_packet *p)
{
    /* Only keeps the connection from idling. */
}

static void pass_up(struct uplink *u, const struct wire_packet *p)
{
    u->kind->events->on_packet(u, u->kind->owner, p);
}

static void (*const handlers[256])(struct uplink *u, const struct wire_packet *p) = {
    [CMD_ON_CONNECT] = pass_up,     [CMD_ON_MESSAGE] = pass_up,
    [CMD_ON_CLOSE] = pass_up,       [CMD_ON_WEBSOCKET_CONNECT] = pass_up,
    [CMD_PING] = on_ping,           [CMD_HELLO] = on_hello,
    [CMD_DRAIN_MARK] = pass_up,     [CMD_REPLY] = on_reply,
    [CMD_ON_HANDSHAKE] = pass_up,   [CMD_ON_BROKEN] = pass_up,
    [CMD_ON_BUFFER_FULL] = pass_up, [CMD_ON_BUFFER_DRAIN] = pass_up,
    [CMD_INTEREST] = on_interest,   [CMD_PONG] = on_pong,
};

static void on_message(struct chan *ch, void *owner, const struct codec_event *ev)
{
    static struct log_rate rate;
    struct uplink *u = owner;
    struct wire_packet p;

    if (wire_decode(ev->payload, ev->payload.len, &p) <= 0)
        return; /* the codec hands out whole packets only */
    hear(u);
    if (handlers[p.cmd])
        handlers[p.cmd](u, &p);
    else
        log_limited(&rate, LOG_WARN, "gateway %s sent %s (%u), which is not for workers: ignored",
                    u->address, wire_cmd_name(p.cmd), p.cmd);
}

static const struct chan_events chan_events = {
    .on_open = on_open,
    .on_message = on_message,
    .on_drain = on_drain,
    .on_close = on_close,
};

void uplink_kind_init(struct uplink_kind *k, uint64_t packet_max_bytes)
{
    k->chan = (struct chan_kind){
        .codec = &wire_codec,
        .codec_conf = {.message_max_bytes = packet_max_bytes},
        .conn_conf = {.in_max_bytes = packet_max_bytes,
                      .close_timeout_ms = CLOSE_TIMEOUT_MS,
                      .handshake_timeout_ms = CONNECT_TIMEOUT_MS,
                      .is_bulk = true},
        .events = &chan_events,
    };
}

/* ---- dialling ---- */

static int dial(struct uplink *u, const struct addr *addr)
{
    const struct transport *transport;
    void *state;
    int rc = peer_tls_dial(u->kind->tls, u->address, &transport, &state);

    if (rc < 0)
        return rc;
    u->chan = chan_dial_over(u->kind->conns, addr, transport, state, &u->kind->chan, u);
    return u->chan ? 0 : -errno;
}

static void on_resolved(void *owner, int rc, const struct addr *addr)
{
    struct uplink *u = owner;

    u->resolve = NULL;
    if (rc == 0 && addr->family != AF_INET)
        rc = -EAFNOSUPPORT; /* client ids have room for IPv4 only */
    if (rc == 0) {
        u->at = (struct gateway_at){.ip = addr_ip4(addr), .port = addr->port};
        rc = dial(u, addr);
    }
    if (rc < 0) {
        explain_loss(u, rc);
        go_down(u, rc);
    }
}

void uplink_dial(struct uplink *u)
{
    static struct log_rate rate;

    timer_stop(conn_pool_loop(u->kind->conns), &u->retry);
    u->resolve = resolve_start(conn_pool_loop(u->kind->conns), u->address, on_resolved, u);
    if (u->resolve) {
        u->state = UPLINK_DIALLING;
        return;
    }
    log_limited(&rate, LOG_WARN, "gateway %s: no usable address (%s)", u->address,
                gw_strerror(-errno));
    u->is_tried = true;
    uplink_retry(u, SUSPICIOUS_MS);
}

void uplink_retry(struct uplink *u, uint64_t delay_ms)
{
    timer_start(conn_pool_loop(u->kind->conns), &u->retry, delay_ms);
}

void uplink_close(struct uplink *u)
{
    timer_stop(conn_pool_loop(u->kind->conns), &u->retry);
    resolve_cancel(u->resolve);
    u->resolve = NULL;
    tell_now(u);
    if (u->chan)
        chan_close(u->chan, 0, span_of(NULL, 0));
    else
        u->state = UPLINK_DOWN;
}

void uplink_pause(struct uplink *u)
{
    if (u->state != UPLINK_UP || u->is_paused)
        return;
    u->is_paused = true;
    (void)holdings_miss(&u->holdings); /* the mark follows when it is read from again */
    conn_pause(chan_conn(u->chan));
}

void uplink_resume(struct uplink *u)
{
    if (u->state != UPLINK_UP || !u->is_paused)
        return;
    u->is_paused = false;
    if (holdings_miss(&u->holdings))
        uplink_will_tell(u);
    conn_resume(chan_conn(u->chan));
}

/* ---- sending ---- */

/* A gateway that is not ours destroys the connection over a larger packet, and all its clients here
 * would wait for another worker. */
static bool is_too_big(const struct uplink *u, size_t size)
{
    return size > (u->is_ours ? u->kind->chan.codec_conf.message_max_bytes : WIRE_PACKET_MAX);
}

/* What this process has sent itself it reckons with at once: a message that follows a join on this
 * link must reach who joined. */
static void note_own(struct uplink *u, const struct wire_packet *p)
{
    bool is_join = p->cmd == CMD_JOIN_GROUP;

    if (!u->tells_interest || (!is_join && p->cmd != CMD_BIND_UID))
        return;
    if (holdings_put_in(&u->holdings, is_join ? INTEREST_GROUPS : INTEREST_UIDS, p->ext))
        uplink_will_tell(u);
}

bool uplink_may_have(const struct uplink *u, enum interest_kind kind, struct span name)
{
    return holdings_may_have(&u->holdings, kind, name);
}

static bool has_full_queue(const struct uplink *u)
{
    return conn_queued(chan_conn(u->chan)) >= u->kind->send_max_bytes;
}

int uplink_send(struct uplink *u, const struct wire_packet *p)
{
    size_t size = wire_size(p);

    if (u->state != UPLINK_UP)
        return GW_ENOGATEWAY;
    if (is_too_big(u, size))
        return GW_ETOOBIG;
    if (u->pulse.is_silent && has_full_queue(u))
        return GW_EFULL;
    uint8_t *at = conn_reserve(chan_conn(u->chan), size);
    if (!at)
        return GW_ECLOSED;
    struct wire_packet plain = *p;
    if (!u->is_ours)
        plain.flag = (uint8_t)(p->flag & ~WIRE_BINARY);
    wire_encode(at, &plain);
    conn_commit(chan_conn(u->chan), size);
    note_own(u, p);
    return 0;
}

void uplink_send_cmd(struct uplink *u, uint8_t cmd, uint32_t connection_id, struct span body)
{
    struct wire_packet p = command_of(cmd);

    p.connection_id = connection_id;
    p.body = body;
    if (uplink_send(u, &p) < 0)
        return; /* down: then the gateway has lost the state that this is about */
}

/* A gateway that is stuck must not hold up what is meant for the others. */
bool uplink_is_full(const struct uplink *u)
{
    return u->state == UPLINK_UP && !u->pulse.is_silent && has_full_queue(u);
}

/* Told afterwards and only when it took long: one message above the limit is no trouble yet. */
static void tell_stall(const struct uplink *u, uint64_t since_ms)
{
    static struct log_rate rate;
    uint64_t waited_ms = loop_now_ms(conn_pool_loop(u->kind->conns)) - since_ms;

    if (waited_ms >= LONG_STALL_MS)
        log_limited(&rate, LOG_WARN, "gateway %s does not keep up: a sender waited %llu ms for it",
                    u->address, (unsigned long long)waited_ms);
}

void uplink_make_room(struct uplink *u)
{
    struct stall stall = {.co = fibers_self(u->kind->fibers)};
    uint64_t since_ms = loop_now_ms(conn_pool_loop(u->kind->conns));

    while (uplink_is_full(u)) {
        list_append(&u->stalled, &stall.node);
        conn_want_drain(chan_conn(u->chan), u->kind->send_max_bytes / 2);
        fibers_wait(u->kind->fibers);
    }
    tell_stall(u, since_ms);
}

bool uplink_is_flushed(const struct uplink *u)
{
    return u->state != UPLINK_UP || conn_queued(chan_conn(u->chan)) == 0;
}

void uplink_ask(struct uplink *u, const struct wire_packet *p, struct query *q,
                struct fanout_target *target)
{
    if (u->state != UPLINK_UP)
        target->rc = GW_ENOGATEWAY;
    else if (u->pulse.is_silent)
        target->rc = GW_ETIMEOUT;
    else if (u->is_ours && !u->is_paused) {
        target->rc = uplink_send(u, p);
        if (target->rc == 0)
            query_expect(q, target, &u->line);
    } else {
        if (!u->asker)
            u->asker = asker_new(u->kind->conns, u->at, u->address, u->kind->secret, u->kind->tls);
        asker_ask(u->asker, p, q, target);
    }
}
