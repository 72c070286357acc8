/* States: down → dialling (name, connect) → up → down. A link that is lost is dialled again by its
 * owner, which knows whether the gateway is still listed. */
#include "mesh/uplink.h"

#include <errno.h>

#include <gw/err.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/notices.h"
#include "client/command.h"
#include "mesh/uplink_internal.h"
#include "net/peer_tls.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    CLOSE_TIMEOUT_MS = 2000,
    SUSPICIOUS_MS = 1000,
};

/* ---- whether it is still there ---- */

/* Whoever waits for it waits no more. What is queued for it stays, and leaves when it is back. */
static void on_look(struct timer *t)
{
    struct uplink *u = CONTAINER_OF(t, struct uplink, look);

    if (!u->is_paused && pulse_look(&u->pulse)) {
        log_warn("gateway %s has said nothing for %d s: it is stuck or cut off. Nobody waits for "
                 "it; queries go without it, and messages beyond its full queue are dropped",
                 u->address, PULSE_QUIET_MAX * PULSE_MS / 1000);
        uplink_resume_stalled(u);
    }
    if (u->pong == u->pings_n)
        uplink_ping(u);
    timer_start(conn_pool_loop(u->kind->conns), t, PULSE_MS);
}

void uplink_hear(struct uplink *u)
{
    u->has_heard = true;
    if (pulse_hear(&u->pulse))
        log_info("gateway %s is back", u->address);
}

void uplink_watch_pulse(struct uplink *u)
{
    timer_start(conn_pool_loop(u->kind->conns), &u->look, PULSE_MS);
}

/* ---- coming and going ---- */

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
    uplink_tell_init(u);
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
    uplink_tell_stop(u);
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
    u->page = NULL;
    u->heard = 0;
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
    uplink_resume_stalled(u);
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
    uplink_resume_stalled(owner);
}

static const struct chan_events chan_events = {
    .on_open = on_open,
    .on_message = uplink_input,
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
    uplink_tell_now(u);
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

bool uplink_may_have(const struct uplink *u, enum interest_kind kind, struct span name)
{
    return holdings_may_have(&u->holdings, kind, name) ||
           (u->page && notice_is_news(u->page, kind, name, u->heard));
}
