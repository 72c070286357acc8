/* Draining: ask every gateway of ours to send no more events, name the clients that are still busy,
 * release each as its last callback returns; then on_stop, flush, close, finished.
 *
 * Links stay open until the end, because callbacks still running send over all of them. A gateway
 * that is not ours knows no drain: its events are handled until nothing else is in hand, then its
 * link is not read any more and closes with the others. */
#include "worker/leave.h"

#include "base/log.h"

enum { ON_STOP_MAX_MS = 1000, CLOSE_MAX_MS = 500 };

static void finish(struct worker *w)
{
    if (w->is_finished)
        return;
    w->is_finished = true;
    timer_stop(w->env->loop, &w->stopping);
    mesh_leave(&w->mesh);
    w->env->finished(w->env);
}

/* on_stop has had its chance: everything sent goes out, then the links close. */
static void close_links(struct worker *w)
{
    if (w->has_stopped)
        return;
    w->has_stopped = true;
    stores_stop(&w->stores);
    registrars_stop(&w->mesh.registrars);
    gateways_close(&w->mesh.gateways);
    if (gateways_up_n(&w->mesh.gateways) == 0)
        finish(w);
    else
        timer_start(w->env->loop, &w->stopping, CLOSE_MAX_MS);
}

static void run_on_stop(void *arg)
{
    struct worker *w = arg;

    fibers_show(&w->mesh.fibers, (struct activity_note){.kind = ACTIVITY_ON_STOP});
    w->module->on_stop(&w->mesh.gw);
    close_links(w);
}

static void on_too_long(struct timer *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, stopping);

    if (w->has_stopped) {
        finish(w);
        return;
    }
    log_warn("on_stop has not returned within %d ms: going on without it", ON_STOP_MAX_MS);
    close_links(w);
}

static void stop_now(struct worker *w)
{
    if (w->phase == WORKER_STOPPING)
        return;
    w->phase = WORKER_STOPPING;
    timer_stop(w->env->loop, &w->starting);
    timers_stop_all(&w->timers);
    for (size_t i = 0; i < w->mesh.gateways.links.len; i++) {
        struct uplink *u = w->mesh.gateways.links.at[i];
        if (!u->is_ours || u->drain == DRAIN_NO)
            uplink_pause(u);
    }
    timer_start(w->env->loop, &w->stopping, ON_STOP_MAX_MS);
    if (!w->module->on_stop || fibers_start(&w->mesh.fibers, run_on_stop, w, NULL) < 0)
        close_links(w);
}

static bool is_handed_over(const struct worker *w)
{
    for (size_t i = 0; i < w->mesh.gateways.links.len; i++) {
        const struct uplink *u = w->mesh.gateways.links.at[i];
        if (u->state == UPLINK_UP && u->is_ours && u->drain != DRAIN_MARKED)
            return false;
    }
    return true;
}

static void look(struct task *t)
{
    struct worker *w = CONTAINER_OF(t, struct worker, leaving);

    if (w->phase == WORKER_DRAINING && w->dispatch.in_hand_n == 0 &&
        fibers_alive_n(&w->mesh.fibers) == 0 && is_handed_over(w))
        stop_now(w);
}

static void look_soon(struct worker *w)
{
    if (w->phase == WORKER_DRAINING)
        loop_soon(w->env->loop, &w->leaving);
}

void leave_init(struct worker *w)
{
    w->leaving.run = look;
    w->stopping.fire = on_too_long;
}

void leave_drain(struct worker *w)
{
    if (w->phase >= WORKER_DRAINING)
        return;
    w->phase = WORKER_DRAINING;
    dispatch_open(&w->dispatch); /* if it was still starting: what came is handled */
    timer_stop(w->env->loop, &w->starting);
    timers_stop_all(&w->timers);
    for (size_t i = 0; i < w->mesh.gateways.links.len; i++) {
        struct uplink *u = w->mesh.gateways.links.at[i];
        if (u->state != UPLINK_UP || !u->is_ours)
            continue;
        u->drain = DRAIN_ASKED;
        uplink_send_cmd(u, CMD_DRAIN, 0, span_of(NULL, 0));
    }
    look_soon(w);
}

void leave_stop(struct worker *w)
{
    stop_now(w);
}

void leave_marked(struct worker *w, struct uplink *u)
{
    struct buf busy = {0};

    if (u->drain != DRAIN_ASKED)
        return;
    u->drain = DRAIN_MARKED;
    dispatch_busy_ids(u, &busy);
    uplink_send_cmd(u, CMD_DRAINED, 0, buf_span(&busy));
    buf_fini(&busy);
    look_soon(w);
}

void leave_client_idle(struct worker *w, struct client *c)
{
    if (c->uplink && c->uplink->drain == DRAIN_MARKED)
        uplink_send_cmd(c->uplink, CMD_RELEASE, c->id, span_of(NULL, 0));
    look_soon(w);
}

void leave_link_down(struct worker *w, struct uplink *u)
{
    if (w->has_stopped && gateways_up_n(&w->mesh.gateways) == 0)
        finish(w);
    look_soon(w);
}
