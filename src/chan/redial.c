/* Keeps one outbound channel alive: dials, and dials again after a delay when it ends. */
#include "chan/redial.h"

#include <errno.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "chan/chan_internal.h"
#include "net/peer_tls.h"
#include "net/resolve.h"

struct redial {
    struct conn_pool *pool;
    struct loop *loop;
    char *address;
    const struct chan_kind *kind;
    const struct peer_tls *tls;
    void *owner;
    uint64_t retry_ms;
    struct resolve *resolve; /* while the name is looked up */
    struct chan *chan;       /* dialling or up */
    struct chan_hook hook;
    struct timer retry;
    struct task free_later; /* a callback of ours may be running */
    bool is_stopped;
};

/* Half of it to all of it: those who lost the same peer at the same time do not all come back at
 * the same time. */
static uint64_t jitter(uint64_t delay_ms)
{
    uint32_t dice;
    crypto_random(&dice, sizeof dice);
    return delay_ms - dice % (delay_ms / 2 + 1);
}

/* The owner may stop us in on_close. */
static void tell_failure(struct redial *r, int why)
{
    r->kind->events->on_close(NULL, r->owner, why, 1006);
    if (!r->is_stopped)
        timer_start(r->loop, &r->retry, jitter(r->retry_ms));
}

static void on_chan_end(struct chan_hook *h)
{
    struct redial *r = CONTAINER_OF(h, struct redial, hook);
    r->chan = NULL;
    timer_start(r->loop, &r->retry, jitter(r->retry_ms));
}

static void on_resolved(void *owner, int rc, const struct addr *addr)
{
    struct redial *r = owner;
    const struct transport *transport;
    void *state;
    r->resolve = NULL;
    if (rc == 0)
        rc = peer_tls_dial(r->tls, r->address, &transport, &state);
    if (rc < 0) {
        tell_failure(r, rc);
        return;
    }
    r->chan = chan_dial_over(r->pool, addr, transport, state, r->kind, r->owner);
    if (r->chan)
        chan_extra_of(r->chan)->hook = &r->hook;
    else
        tell_failure(r, -errno);
}

static void attempt(struct timer *t)
{
    struct redial *r = CONTAINER_OF(t, struct redial, retry);
    r->resolve = resolve_start(r->loop, r->address, on_resolved, r);
    if (!r->resolve)
        tell_failure(r, -errno);
}

static void free_now(struct task *t)
{
    struct redial *r = CONTAINER_OF(t, struct redial, free_later);
    mem_free(r->address);
    mem_free(r);
}

struct redial *redial_start(struct conn_pool *p, const char *address, const struct chan_kind *kind,
                            const struct peer_tls *tls, uint64_t retry_ms, void *owner)
{
    struct redial *r = mem_zalloc(sizeof *r);
    *r = (struct redial){
        .pool = p,
        .loop = conn_pool_loop(p),
        .address = mem_strdup(address),
        .kind = kind,
        .tls = tls,
        .owner = owner,
        .retry_ms = retry_ms,
        .hook.on_end = on_chan_end,
        .retry.fire = attempt,
        .free_later.run = free_now,
    };
    timer_start(r->loop, &r->retry, 0);
    return r;
}

void redial_stop(struct redial *r)
{
    if (!r || r->is_stopped)
        return;
    r->is_stopped = true;
    timer_stop(r->loop, &r->retry);
    resolve_cancel(r->resolve);
    if (r->chan) {
        chan_extra_of(r->chan)->hook = NULL;
        chan_close(r->chan, 0, span_str(""));
    }
    loop_at_end(r->loop, &r->free_later);
}

struct chan *redial_chan(const struct redial *r)
{
    return r->chan && chan_is_open(r->chan) ? r->chan : NULL;
}

const char *redial_address(const struct redial *r)
{
    return r->address;
}
