/* What goes to a gateway: packets, in order; the count of events done, with something else;
 * questions. Who sends much waits for room. */
#include "mesh/uplink_internal.h"

#include <gw/err.h>

#include "base/bytes.h"
#include "base/log.h"
#include "client/command.h"

enum { LONG_STALL_MS = 1000, TELL_LATE_MS = 10 };

struct stall {
    struct list node;
    struct co *co;
};

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

/* ---- telling ---- */

static bool has_to_tell(const struct uplink *u)
{
    return u->done_n > 0 && u->state == UPLINK_UP && u->is_ours;
}

void uplink_tell_now(struct uplink *u)
{
    uint8_t count[4];

    if (!has_to_tell(u))
        return;
    put_u32be(count, u->done_n);
    u->done_n = 0;
    uplink_send_cmd(u, CMD_DONE, 0, span_of(count, sizeof count));
}

void uplink_ping(struct uplink *u)
{
    uplink_send_cmd(u, CMD_PING, ++u->pings_n, span_of(NULL, 0));
}

static void send_mark(struct uplink *u)
{
    if (!u->tells_interest || !holdings_mark(&u->holdings))
        return;
    uplink_ping(u);
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
        uplink_tell_now(u);
    else if (!timer_is_running(&u->tell_late))
        timer_start(conn_pool_loop(u->kind->conns), &u->tell_late, TELL_LATE_MS);
}

static void on_tell_late(struct timer *t)
{
    uplink_tell_now(CONTAINER_OF(t, struct uplink, tell_late));
}

/* Before anything of the turn leaves, whoever was the first to queue. */
void uplink_will_tell(struct uplink *u)
{
    loop_after_read(conn_pool_loop(u->kind->conns), &u->tell);
}

void uplink_tell_init(struct uplink *u)
{
    u->tell.run = tell;
    u->tell_late.fire = on_tell_late;
}

void uplink_tell_stop(struct uplink *u)
{
    struct loop *loop = conn_pool_loop(u->kind->conns);

    timer_stop(loop, &u->tell_late);
    task_cancel(loop, &u->tell);
}

/* ---- room ---- */

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

void uplink_resume_stalled(struct uplink *u)
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

bool uplink_is_flushed(const struct uplink *u)
{
    return u->state != UPLINK_UP || conn_queued(chan_conn(u->chan)) == 0;
}

/* ---- asking ---- */

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
