/* Peers that send pings are expected to go on with it (chan/pulse.h); of others nothing is known.
 * A silent worker keeps its clients, whose events wait here for it, but gets no new ones. */
#include "gateway/silence.h"

#include "base/log.h"
#include "gateway/state.h"

/* A ping is due every PULSE_MS, and a busy machine may be late with it. */
enum { LIKELY_MS = PULSE_MS + PULSE_MS * 3 / 4 };

static const char *name_of(const struct peer *p, char text[ADDR_TEXT_MAX])
{
    addr_text(conn_peer(p->conn), text);
    return p->worker ? p->worker->key : "a client library";
}

/* It would say something, and we would hear it. */
static bool is_expected(const struct peer *p)
{
    return p->is_pinging && !p->job && !conn_is_paused(p->conn);
}

bool silence_is_likely(const struct peer *p)
{
    return p->pulse.is_silent ||
           (is_expected(p) && loop_now_ms(p->gateway->loop) - p->heard_ms > LIKELY_MS);
}

static void look_at(struct peer *p)
{
    char from[ADDR_TEXT_MAX];
    if (!is_expected(p) || !pulse_look(&p->pulse))
        return;
    const char *name = name_of(p, from);
    log_warn("%s (%s) has said nothing for %d s: it is stuck or cut off. Its clients wait for it, "
             "new ones go to other workers",
             name, from, PULSE_QUIET_MAX * PULSE_MS / 1000);
}

static void on_look(struct timer *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, silence.look);
    for (struct list *n = g->inner.peers.next; n != &g->inner.peers; n = n->next)
        look_at(CONTAINER_OF(n, struct peer, node));
    timer_start(g->loop, t, PULSE_MS);
}

void silence_start(struct gateway *g)
{
    g->silence.look.fire = on_look;
    timer_start(g->loop, &g->silence.look, PULSE_MS);
}

void silence_stop(struct gateway *g)
{
    timer_stop(g->loop, &g->silence.look);
}

void silence_broken(struct peer *p)
{
    char from[ADDR_TEXT_MAX];
    bool was_likely = silence_is_likely(p);
    p->heard_ms = loop_now_ms(p->gateway->loop);
    if (pulse_hear(&p->pulse))
        log_info("%s (%s) is back", name_of(p, from), from);
    if (was_likely && p->worker)
        route_on_drain(p->gateway, p->worker);
}

size_t silence_count(const struct gateway *g)
{
    size_t n = 0;
    for (const struct list *at = g->inner.peers.next; at != &g->inner.peers; at = at->next) {
        const struct peer *p = CONTAINER_OF((uintptr_t)at, struct peer, node);
        n += p->pulse.is_silent;
    }
    return n;
}
