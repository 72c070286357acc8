/* Leaves without haste: clients are told, a few at a time, to come back elsewhere. */
#include "gateway/retreat.h"

#include "base/log.h"
#include "gateway/gateway.h"
#include "gateway/state.h"
#include "net/sock.h"

enum { BEAT_MS = 100, CLOSE_CODE = 1012 /* IANA WebSocket close codes: service restart */ };

/* The next ones that are not on their way out. Nobody leaves the roster meanwhile: channels close
 * at the end of the turn. */
static void say_goodbye(struct gateway *g, uint64_t n)
{
    uint32_t pos = 0;
    for (struct client *c = roster_next(&g->clients.all, &pos); c && n > 0;
         c = roster_next(&g->clients.all, &pos)) {
        if (chan_is_closing(c->chan))
            continue;
        chan_close(c->chan, CLOSE_CODE, span_str("service restart"));
        n--;
    }
}

static void on_beat(struct timer *t)
{
    struct gateway *g = CONTAINER_OF(t, struct gateway, retreat.beat);
    struct retreat *r = &g->retreat;
    if (clients_len(&g->clients) == 0) {
        gateway_role.drain(g); /* what the workers still have in hand, then the end */
        return;
    }
    r->credit_ms += r->per_second * BEAT_MS;
    say_goodbye(g, r->credit_ms / 1000);
    r->credit_ms %= 1000;
    timer_start(g->loop, t, BEAT_MS);
}

/* The descriptor is the master's, too: only when the socket itself listens no more does the kernel
 * give new connections to the other processes of the section. */
static void stop_listening(struct gateway *g)
{
    for (size_t i = 0; i < g->fronts_n; i++) {
        door_close(&g->fronts[i].door);
        sock_unlisten(g->env->listen_fds[i]);
    }
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
    stop_listening(g);
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
