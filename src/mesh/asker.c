/* With a secret, every request follows a CMD_GATEWAY_CLIENT_CONNECT, also on a connection in use,
 * as the original's library does. */
#include "mesh/asker.h"

#include <errno.h>

#include <gw/err.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "chan/chan.h"
#include "client/command.h"
#include "net/peer_tls.h"
#include "proto/phpser.h"

enum { IDLE_MS = 50 * 1000, CONNECT_TIMEOUT_MS = 5000, REPLY_HEAD = 4 };

struct asker {
    struct conn_pool *conns;
    struct gateway_at at;
    const char *address;
    const char *secret;
    const struct peer_tls *tls;
    struct chan *chan; /* NULL while closed */
    struct list line;  /* struct query_slot */
    struct timer idle;
    struct buf request;
};

static void fail_all(struct asker *a, int rc)
{
    struct list failed;

    list_init(&failed);
    list_take_all(&failed, &a->line);
    while (!list_is_empty(&failed))
        query_fail(&failed, rc);
}

static void on_message(struct chan *ch, void *owner, const struct codec_event *ev)
{
    struct asker *a = owner;

    if (list_is_empty(&a->line)) {
        chan_destroy(ch, GW_EPROTO);
        return;
    }
    query_answer(&a->line, ev->payload);
}

static void on_close(struct chan *ch, void *owner, int why, uint16_t close_code)
{
    struct asker *a = owner;

    if (!a || a->chan != ch)
        return;
    a->chan = NULL;
    timer_stop(conn_pool_loop(a->conns), &a->idle);
    fail_all(a, why < 0 ? why : GW_ECLOSED);
}

static const struct chan_events events = {.on_message = on_message, .on_close = on_close};

static const struct chan_kind kind = {
    .codec = &reply_codec,
    .codec_conf = {.message_max_bytes = PHP_BYTES_MAX},
    .conn_conf = {.in_max_bytes = PHP_BYTES_MAX + REPLY_HEAD,
                  .close_timeout_ms = CONNECT_TIMEOUT_MS,
                  .handshake_timeout_ms = CONNECT_TIMEOUT_MS},
    .events = &events,
};

/* Answers would come for the wrong requests afterwards, so a connection that is late ends. */
static void drop(struct asker *a, int why)
{
    struct chan *ch = a->chan;

    a->chan = NULL;
    timer_stop(conn_pool_loop(a->conns), &a->idle);
    if (ch) {
        chan_set_owner(ch, NULL);
        chan_destroy(ch, why);
    }
    fail_all(a, why);
}

static void on_idle(struct timer *t)
{
    drop(CONTAINER_OF(t, struct asker, idle), GW_ETIMEOUT);
}

static void on_late(struct query_slot *slot, void *owner)
{
    drop(owner, GW_ETIMEOUT);
}

struct asker *asker_new(struct conn_pool *conns, struct gateway_at at, const char *address,
                        const char *secret, const struct peer_tls *tls)
{
    struct asker *a = mem_zalloc(sizeof *a);

    *a = (struct asker){.conns = conns,
                        .at = at,
                        .address = address,
                        .secret = secret,
                        .tls = tls,
                        .idle = {.fire = on_idle}};
    list_init(&a->line);
    return a;
}

void asker_free(struct asker *a)
{
    if (!a)
        return;
    drop(a, GW_ECLOSED);
    buf_fini(&a->request);
    mem_free(a);
}

static int connect_now(struct asker *a)
{
    struct addr to = gateway_at_addr(a->at);
    const struct transport *transport;
    void *state;
    int rc = peer_tls_dial(a->tls, a->address, &transport, &state);

    if (rc < 0)
        return rc;
    a->chan = chan_dial_over(a->conns, &to, transport, state, &kind, a);
    return a->chan ? 0 : -errno;
}

void asker_ask(struct asker *a, const struct wire_packet *p, struct query *q,
               struct fanout_target *target)
{
    if (a->chan && chan_is_closing(a->chan))
        drop(a, GW_ECLOSED);
    int rc = a->chan ? 0 : connect_now(a);
    if (rc == 0) {
        buf_clear(&a->request);
        if (a->secret[0] != '\0')
            command_put_secret(&a->request, a->secret);
        wire_put(&a->request, p);
        rc = chan_send_raw(a->chan, buf_span(&a->request));
    }
    if (rc < 0) {
        target->rc = rc;
        return;
    }
    struct query_slot *slot = query_expect(q, target, &a->line);
    slot->on_late = on_late;
    slot->owner = a;
    timer_start(conn_pool_loop(a->conns), &a->idle, IDLE_MS);
}
