/* Packets from NATS are written into one end of a socket pair, whose other end is a peer of the
 * inner port like any other: what it may do, how long work is cut, how answers are held back is
 * decided there, once. Answers come back in the order of the questions and go to the subject that
 * each question named. */
#include "gateway/nats_peer.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "chan/chan.h"
#include "cluster/bus.h"
#include "cluster/cluster_conf.h"
#include "cluster/envelope.h"
#include "cluster/presence.h"
#include "cluster/subscriptions.h"
#include "gateway/gateway_conf.h"
#include "gateway/state.h"
#include "proto/wire.h"

enum {
    REPLY_MAX = 128,               /* a subject_inbox() */
    DEBTS_MAX = 10000,             /* questions in hand; more are not taken */
    PAIR_HIGH_BYTES = 1024 * 1024, /* in the socket pair: then NATS waits */
    PAIR_LOW_BYTES = 128 * 1024,
    ANSWER_MAX_BYTES = 1024 * 1024, /* of one CMD_REPLY; they have REPLY_PART_MAX */
};

/* A question whose answer is still to come. */
struct debt {
    uint32_t question;
    char reply[REPLY_MAX];
};

struct nats_peer {
    struct gateway *gateway;
    const struct cluster_conf *conf;
    struct nats_conf nats;
    char label[CLUSTER_LABEL_MAX];
    struct gateway_at at;
    uint64_t life;
    struct bus *bus;
    struct subscriptions subscriptions;
    struct interest_watch watch; /* of what the gateway holds */
    struct chan *chan;           /* our end of the pair; NULL while there is none */
    struct buf debts;            /* struct debt, the oldest first */
    struct buf text;             /* scratch: a message */
    struct timer beat;
    bool is_held; /* chan is not read from until NATS takes more */
    bool is_stopping;
};

/* ---- presence ---- */

static void say(struct nats_peer *n, enum envelope_kind kind)
{
    char subject[SUBJECT_MAX];
    char host[HOST_NAME_MAX + 1] = "";

    if (gethostname(host, sizeof(host) - 1) < 0)
        snprintf(host, sizeof(host), "unknown");
    buf_clear(&n->text);
    envelope_put(&n->text, &(struct envelope){.kind = kind, .at = n->at, .life = n->life});
    buf_puts(&n->text, host);
    subject_parts(n->conf->name, subject);
    if (bus_publish(n->bus, subject, "", buf_span(&n->text)) < 0)
        return; /* told by the bus; the next beat says it again */
}

static void on_beat(struct timer *t)
{
    struct nats_peer *n = CONTAINER_OF(t, struct nats_peer, beat);
    if (bus_is_up(n->bus))
        say(n, ENVELOPE_HERE);
    timer_start(n->gateway->loop, t, PRESENCE_BEAT_MS);
}

/* ---- answers ---- */

static void hold_if_full(struct nats_peer *n)
{
    if (n->is_held || !bus_is_full(n->bus))
        return;
    n->is_held = true;
    conn_pause(chan_conn(n->chan));
}

static void on_room(void *owner)
{
    struct nats_peer *n = owner;
    if (n->is_held && n->chan)
        conn_resume(chan_conn(n->chan));
    n->is_held = false;
}

static void on_answer(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct nats_peer *n = owner;
    struct wire_packet p;
    struct debt debt;
    if (wire_decode(ev->payload, ev->payload.len, &p) <= 0 || p.cmd != CMD_REPLY ||
        n->debts.len < sizeof(debt))
        return;
    memcpy(&debt, n->debts.at, sizeof(debt));
    if (!(p.flag & WIRE_MORE))
        buf_consume(&n->debts, sizeof(debt));
    buf_clear(&n->text);
    envelope_put(&n->text, &(struct envelope){
                               .kind = ENVELOPE_ANSWER, .question = debt.question, .at = n->at});
    buf_put_span(&n->text, ev->payload);
    if (bus_publish(n->bus, debt.reply, "", buf_span(&n->text)) < 0)
        return; /* told by the bus; whoever asked finds out at its deadline */
    hold_if_full(n);
}

/* ---- the pair ---- */

static void on_drain(struct chan *ch, void *owner)
{
    struct nats_peer *n = owner;
    bus_resume(n->bus);
}

static int make_pair(struct nats_peer *n);

/* The other end closes when an answer was not taken for too long: those who wait for answers find
 * out at their deadline. */
static void on_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    struct nats_peer *n = owner;
    n->chan = NULL;
    n->is_held = false;
    buf_clear(&n->debts);
    if (n->is_stopping)
        return;
    if (make_pair(n) == 0)
        bus_resume(n->bus);
}

static const struct chan_events events = {
    .on_message = on_answer, .on_drain = on_drain, .on_close = on_close};

static const struct chan_kind kind = {
    .codec = &wire_codec,
    .codec_conf = {.message_max_bytes = ANSWER_MAX_BYTES},
    .conn_conf = {.in_max_bytes = ANSWER_MAX_BYTES, .out_max_bytes = UINT64_MAX, .is_bulk = true},
    .events = &events,
};

static int make_pair(struct nats_peer *n)
{
    const struct addr from = {.family = AF_UNIX};
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0) {
        log_error("no socket pair for what comes from NATS: %s", strerror(errno));
        return -errno;
    }
    n->chan = chan_new(n->gateway->conns, fds[0], &from, &plain_transport, NULL, &kind, n);
    if (!n->chan) {
        close(fds[1]);
        return -errno;
    }
    if (inner_adopt(n->gateway, fds[1]))
        return 0;
    chan_destroy(n->chan, -EMFILE);
    return -EMFILE;
}

/* ---- what comes from NATS ---- */

enum packet_kind { PACKET_REFUSED, PACKET_ORDER, PACKET_QUESTION };

/* Everything that a client library may send; not what makes a worker of a peer. */
static const uint8_t kinds[UINT8_MAX + 1] = {
    [CMD_SEND_TO_ONE] = PACKET_ORDER,
    [CMD_SEND_TO_ALL] = PACKET_ORDER,
    [CMD_SEND_TO_UID] = PACKET_ORDER,
    [CMD_SEND_TO_GROUP] = PACKET_ORDER,
    [CMD_KICK] = PACKET_ORDER,
    [CMD_DESTROY] = PACKET_ORDER,
    [CMD_BIND_UID] = PACKET_ORDER,
    [CMD_UNBIND_UID] = PACKET_ORDER,
    [CMD_JOIN_GROUP] = PACKET_ORDER,
    [CMD_LEAVE_GROUP] = PACKET_ORDER,
    [CMD_UNGROUP] = PACKET_ORDER,
    [CMD_SET_SESSION] = PACKET_ORDER,
    [CMD_UPDATE_SESSION] = PACKET_ORDER,
    [CMD_GET_SESSION_BY_CLIENT_ID] = PACKET_QUESTION,
    [CMD_IS_ONLINE] = PACKET_QUESTION,
    [CMD_GET_ALL_CLIENT_SESSIONS] = PACKET_QUESTION,
    [CMD_GET_CLIENT_SESSIONS_BY_GROUP] = PACKET_QUESTION,
    [CMD_GET_CLIENT_COUNT_BY_GROUP] = PACKET_QUESTION,
    [CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP] = PACKET_QUESTION,
    [CMD_GET_CLIENT_ID_BY_UID] = PACKET_QUESTION,
    [CMD_BATCH_GET_CLIENT_ID_BY_UID] = PACKET_QUESTION,
    [CMD_GET_GROUP_ID_LIST] = PACKET_QUESTION,
    [CMD_SELECT] = PACKET_QUESTION,
    [CMD_RECEIPT] = PACKET_QUESTION,
};

/* Whole packets, one of them a question if and only if there is an answer wanted, and that the last
 * one: else answers would go to others than asked. */
static bool is_sound(const struct nats_peer *n, struct span packets, bool is_answered)
{
    size_t max_bytes = gateway_conf_packet_max(n->gateway->conf);
    while (packets.len > 0) {
        struct wire_packet p;
        ssize_t used = wire_decode(packets, max_bytes, &p);
        if (used <= 0 || kinds[p.cmd] == PACKET_REFUSED)
            return false;
        packets = span_skip(packets, (size_t)used);
        if ((kinds[p.cmd] == PACKET_QUESTION) != (is_answered && packets.len == 0))
            return false;
    }
    return true;
}

static bool owe(struct nats_peer *n, uint32_t question, const char *reply)
{
    struct debt debt = {.question = question};
    if (strlen(reply) >= REPLY_MAX || n->debts.len >= DEBTS_MAX * sizeof(debt))
        return false;
    memcpy(debt.reply, reply, strlen(reply));
    buf_put(&n->debts, &debt, sizeof(debt));
    return true;
}

static void take_order(struct nats_peer *n, const struct envelope *e, const char *reply)
{
    static struct log_rate bad, busy;
    if (!n->chan || envelope_spares(e, n->at))
        return;
    if (!is_sound(n, e->rest, e->question > 0)) {
        log_limited(&bad, LOG_WARN, "a message from NATS is ignored: its packets are not sound");
        return;
    }
    if (e->question > 0 && !owe(n, e->question, reply)) {
        log_limited(&busy, LOG_WARN, "a question from NATS is ignored: %d wait for an answer",
                    DEBTS_MAX);
        return;
    }
    if (chan_send_raw(n->chan, e->rest) < 0)
        return; /* closing: on_close makes another one */
    if (conn_queued(chan_conn(n->chan)) < PAIR_HIGH_BYTES)
        return;
    bus_pause(n->bus);
    conn_want_drain(chan_conn(n->chan), PAIR_LOW_BYTES);
}

static void on_message(void *owner, const char *reply, struct span data)
{
    static struct log_rate rate;
    struct nats_peer *n = owner;
    struct envelope e;
    if (n->is_stopping)
        return;
    if (!envelope_read(data, &e))
        log_limited(&rate, LOG_WARN,
                    "a message from NATS is ignored: no gatehouse of this "
                    "version wrote it; is [cluster] name used by others?");
    else if (e.kind == ENVELOPE_WHO)
        say(n, ENVELOPE_HERE);
    else if (e.kind == ENVELOPE_ORDER)
        take_order(n, &e, reply);
}

/* ---- the connection ---- */

static void on_up(void *owner, bool is_fresh)
{
    struct nats_peer *n = owner;
    char subject[SUBJECT_MAX];
    if (is_fresh) {
        subject_all(n->conf->name, subject);
        bus_subscribe(n->bus, subject);
        subject_at(n->conf->name, n->at, subject);
        bus_subscribe(n->bus, subject);
    }
    subscriptions_resume(&n->subscriptions, is_fresh);
    say(n, ENVELOPE_HERE);
}

static void on_down(void *owner)
{
    struct nats_peer *n = owner;
    subscriptions_pause(&n->subscriptions);
}

static const struct bus_events bus_events = {
    .on_up = on_up, .on_down = on_down, .on_message = on_message, .on_room = on_room};

static void on_change(void *owner, const char *subject, bool is_wanted)
{
    struct nats_peer *n = owner;
    if (is_wanted)
        bus_subscribe(n->bus, subject);
    else
        bus_unsubscribe(n->bus, subject);
}

static void on_held(struct interest_watch *w, enum member_kind member, struct span name,
                    bool is_held)
{
    struct nats_peer *n = CONTAINER_OF(w, struct nats_peer, watch);
    subscriptions_hold(&n->subscriptions, member == MEMBER_UID ? SUBJECT_UID : SUBJECT_GROUP, name,
                       is_held);
}

/* ---- the beginning and the end ---- */

int nats_peer_start(struct gateway *g)
{
    const struct cluster_conf *conf = cluster_conf_of(g->env->conf);
    if (!conf)
        return 0;
    struct nats_peer *n = mem_zalloc(sizeof(*n));
    n->gateway = g;
    n->conf = conf;
    n->at = (struct gateway_at){.ip = g->local_ip, .port = g->local_port};
    crypto_random(&n->life, sizeof(n->life));
    cluster_conf_nats(conf, g->env, n->label, &n->nats);
    subscriptions_init(&n->subscriptions, g->loop, conf->name, on_change, n);
    n->beat.fire = on_beat;
    n->watch.on_change = on_held;
    list_init(&n->watch.node);
    g->nats_peer = n;
    n->bus = bus_open(g->loop, &n->nats, &bus_events, n);
    if (!n->bus) {
        log_error("cannot start the connection to NATS: %s", strerror(errno));
        return -errno;
    }
    int rc = make_pair(n);
    if (rc < 0)
        return rc;
    interest_watch(&g->interest, &n->watch);
    timer_start(g->loop, &n->beat, PRESENCE_BEAT_MS);
    return 0;
}

void nats_peer_stop(struct nats_peer *n)
{
    if (!n || n->is_stopping)
        return;
    n->is_stopping = true;
    timer_stop(n->gateway->loop, &n->beat);
    interest_unwatch(&n->gateway->interest, &n->watch);
    if (n->bus && bus_is_up(n->bus))
        say(n, ENVELOPE_LEFT);
    if (n->chan)
        chan_destroy(n->chan, 0);
}

void nats_peer_status(struct nats_peer *n, struct role_status *out)
{
    if (n)
        bus_status(n->bus, out);
}

void nats_peer_free(struct nats_peer *n)
{
    if (!n)
        return;
    bus_close(n->bus);
    subscriptions_fini(&n->subscriptions);
    buf_fini(&n->debts);
    buf_fini(&n->text);
    mem_free(n);
}
