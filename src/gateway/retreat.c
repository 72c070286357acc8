/* First nobody new can come, while those who are about to are still let in; then the listeners are
 * closed; then clients are sent away. In this order nobody is reset, and nobody who was sent away
 * comes back here. */
#include "gateway/retreat.h"

#include <string.h>

#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/state.h"
#include "net/sock.h"

enum {
    BEAT_MS = 100,
    LAST_ONES_MS = 500, /* for the last step of connecting (one way), below the second after which
                           others try again */
    LAST_ONES_MAX_MS = 5000, /* when many wait, or say nothing */
    CLOSE_CODE = 1012,       /* IANA WebSocket close codes: service restart */
};

/* The next ones that are not on their way out. Who is still in the handshake is sent away behind
 * it, by a code that a page understands. Nobody leaves the roster meanwhile: channels close at the
 * end of the turn. */
static void say_goodbye(struct gateway *g, uint64_t n)
{
    uint32_t pos = 0;
    for (struct client *c = roster_next(&g->clients.all, &pos); c && n > 0;
         c = roster_next(&g->clients.all, &pos)) {
        if (!chan_is_open(c->chan))
            continue;
        chan_close(c->chan, CLOSE_CODE, span_str("service restart"));
        n--;
    }
}

/* Somebody is on the way in. */
static bool has_arrivals(const struct gateway *g)
{
    uint64_t passed_ms = loop_now_ms(g->loop) - g->retreat.begun_ms;
    if (passed_ms < LAST_ONES_MS || passed_ms >= LAST_ONES_MAX_MS)
        return passed_ms < LAST_ONES_MS;
    for (size_t i = 0; i < g->fronts_n; i++)
        if (g->fronts[i].door.guests_n > 0 || sock_is_awaited(g->env->listen_fds[i]))
            return true;
    return false;
}

/* The descriptor is the master's, too: only when the socket itself listens no more does the kernel
 * give new connections to the other processes of the section. */
static void shut(struct gateway *g)
{
    for (size_t i = 0; i < g->fronts_n; i++) {
        door_close(&g->fronts[i].door);
        sock_unlisten(g->env->listen_fds[i]);
    }
    g->retreat.is_shut = true;
}

static void on_beat(struct timer *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, retreat.beat);
    struct retreat *r = &g->retreat;
    if (!r->is_shut && has_arrivals(g)) {
        timer_start(g->loop, t, BEAT_MS);
        return;
    }
    if (!r->is_shut)
        shut(g);
    if (clients_len(&g->clients) == 0) {
        gateway_role.drain(g); /* what the workers still have in hand, then the end */
        return;
    }
    r->credit_ms += r->per_second * BEAT_MS;
    say_goodbye(g, r->credit_ms / 1000);
    r->credit_ms %= 1000;
    timer_start(g->loop, t, BEAT_MS);
}

static void shun(struct gateway *g)
{
    int rc = 0;
    for (size_t i = 0; i < g->fronts_n && rc == 0; i++)
        rc = sock_shun(g->env->listen_fds[i]);
    if (rc < 0)
        log_info("new clients come until the listeners close, and a few may be refused then: %s",
                 strerror(-rc));
}

void retreat_begin(struct gateway *g, uint64_t per_second, uint64_t seconds)
{
    struct retreat *r = &g->retreat;
    if (r->is_on || g->is_draining || g->is_stopping)
        return;
    uint64_t clients_n = (uint64_t)clients_len(&g->clients);
    r->is_on = true;
    r->per_second = per_second;
    if (per_second == 0)
        r->per_second = seconds > 0 ? clients_n / seconds + 1 : clients_n + 1;
    r->begun_ms = loop_now_ms(g->loop);
    shun(g);
    registrar_stop(g);
    log_info("takes no new clients; %llu are told to come back elsewhere, %llu each second",
             (unsigned long long)clients_n, (unsigned long long)r->per_second);
    r->beat.fire = on_beat;
    timer_start(g->loop, &r->beat, BEAT_MS);
}

void retreat_stop(struct gateway *g)
{
    timer_stop(g->loop, &g->retreat.beat);
}
