/* Peers that send pings are expected to go on with it (chan/pulse.h); of others nothing is known.
 * A silent worker keeps its clients, whose events wait for it, but gets no new ones. */
#include "gateway/silence.h"

#include "base/log.h"
#include "gateway/state.h"

static const char *name_of(const struct peer *p, char text[ADDR_TEXT_MAX])
{
    addr_text(conn_peer(p->conn), text);
    return p->worker ? p->worker->key : "a client library";
}

static void look_at(struct peer *p)
{
    char from[ADDR_TEXT_MAX];
    if (!p->is_pinging || p->job || conn_is_paused(p->conn) || !pulse_look(&p->pulse))
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
    if (!pulse_hear(&p->pulse))
        return;
    const char *name = name_of(p, from);
    log_info("%s (%s) is back", name, from);
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
