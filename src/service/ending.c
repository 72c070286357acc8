/*   DRAINING  accepts nothing new; HTTP connections end with their answer, all others go on until
 *             they end or drain_timeout is over
 *   CLOSING   everybody is told goodbye (1001); on_close runs for each
 *   STOPPING  timers end, on_stop runs
 *   ENDING    stores end, links to gateways flush and close */
#include "service/ending.h"

#include "base/log.h"
#include "service/handle.h"
#include "service/http_line.h"

enum { CLOSING_MAX_MS = 700, ON_STOP_MAX_MS = 700, ENDING_MAX_MS = 300 };

static void finish(struct service *s)
{
    if (s->is_finished)
        return;
    s->is_finished = true;
    timer_stop(s->env->loop, &s->leaving);
    mesh_leave(&s->mesh);
    s->env->finished(s->env);
}

/* on_stop has had its chance: everything sent goes out, then the links close. */
static void close_links(struct service *s)
{
    if (s->phase == SERVICE_ENDING)
        return;
    s->phase = SERVICE_ENDING;
    stores_stop(&s->stores);
    registrars_stop(&s->mesh.registrars);
    gateways_close(&s->mesh.gateways);
    if (gateways_up_n(&s->mesh.gateways) == 0)
        finish(s);
    else
        timer_start(s->env->loop, &s->leaving, ENDING_MAX_MS);
}

void ending_link_down(struct service *s)
{
    if (s->phase == SERVICE_ENDING && gateways_up_n(&s->mesh.gateways) == 0)
        finish(s);
}

static void run_on_stop(void *arg)
{
    struct service *s = arg;

    fibers_show(&s->mesh.fibers, (struct activity_note){.kind = ACTIVITY_ON_STOP});
    s->module->on_stop(&s->mesh.gw);
    close_links(s);
}

static void stop_module(struct service *s)
{
    if (s->phase >= SERVICE_STOPPING)
        return;
    s->phase = SERVICE_STOPPING;
    timers_stop_all(&s->timers);
    timer_start(s->env->loop, &s->leaving, ON_STOP_MAX_MS);
    if (!s->module->on_stop || fibers_start(&s->mesh.fibers, run_on_stop, s, NULL) < 0)
        close_links(s);
}

static bool is_empty(const struct service *s)
{
    return list_is_empty(&s->accepted) && list_is_empty(&s->dialled);
}

static void close_list(struct list *all)
{
    for (struct list *node = all->next, *next; node != all; node = next) {
        struct gw_conn *h = CONTAINER_OF(node, struct gw_conn, node);
        next = node->next;
        if (h->chan)
            chan_close(h->chan, 1001, span_str("")); /* RFC 6455 §7.4.1: going away */
        else if (h->conn)
            conn_close(h->conn);
    }
}

static void close_all(struct service *s)
{
    if (s->phase >= SERVICE_CLOSING)
        return;
    s->phase = SERVICE_CLOSING;
    close_list(&s->accepted);
    close_list(&s->dialled);
    timer_start(s->env->loop, &s->leaving, CLOSING_MAX_MS);
    ending_look(s);
}

static void stop_listening(struct service *s)
{
    for (size_t i = 0; i < s->entries_n; i++)
        entry_close(&s->entries[i]);
    for (size_t i = 0; i < s->datagrams_n; i++)
        datagrams_close(&s->datagrams[i]);
}

static void on_time(struct timer *t)
{
    struct service *s = CONTAINER_OF(t, struct service, leaving);

    if (s->phase == SERVICE_DRAINING) {
        close_all(s);
    } else if (s->phase == SERVICE_CLOSING) {
        stop_module(s);
    } else if (s->phase == SERVICE_STOPPING) {
        log_warn("on_stop has not returned within %d ms: going on without it", ON_STOP_MAX_MS);
        close_links(s);
    } else {
        finish(s);
    }
}

static void look(struct task *t)
{
    struct service *s = CONTAINER_OF(t, struct service, look);

    if (!is_empty(s))
        return;
    if (s->phase == SERVICE_DRAINING && fibers_alive_n(&s->mesh.fibers) > 0)
        return; /* timers in hand, and on_start of one that is asked to leave early */
    if (s->phase == SERVICE_DRAINING || s->phase == SERVICE_CLOSING)
        stop_module(s);
}

void ending_look(struct service *s)
{
    if (s->phase >= SERVICE_DRAINING)
        loop_soon(s->env->loop, &s->look);
}

void ending_init(struct service *s)
{
    s->leaving.fire = on_time;
    s->look.run = look;
}

void ending_drain(struct service *s)
{
    if (s->phase >= SERVICE_DRAINING)
        return;
    s->phase = SERVICE_DRAINING;
    timer_stop(s->env->loop, &s->starting);
    stop_listening(s);
    for (struct list *node = s->accepted.next, *next; node != &s->accepted; node = next) {
        struct gw_conn *h = CONTAINER_OF(node, struct gw_conn, node);
        next = node->next;
        if (h->http)
            http_line_leave(h);
    }
    timer_start(s->env->loop, &s->leaving, s->conf->drain_timeout_ms);
    ending_look(s);
}

void ending_stop(struct service *s)
{
    timer_stop(s->env->loop, &s->starting);
    stop_listening(s);
    close_all(s);
}
