/* Stopping the whole server, plainly or after the work in hand. */
#include "proc/stop.h"

#include "base/log.h"
#include "proc/process.h"

static const struct step {
    int start_order;
    bool until_gone; /* else until all have answered that they drain */
} steps[] = {
    {ROLE_ORDER_WEB, true},     {ROLE_ORDER_GATEWAY, false}, {ROLE_ORDER_WORKER, true},
    {ROLE_ORDER_GATEWAY, true}, {ROLE_ORDER_REGISTRY, true},
};

static uint64_t left_ms(const struct stop *s)
{
    uint64_t now_ms = loop_now_ms(s->fleet->loop);
    return s->end_ms > now_ms ? s->end_ms - now_ms : 0;
}

/* Asks the processes of the step; true when it is done with. */
static bool run_step(struct stop *s, const struct step *step)
{
    struct fleet *f = s->fleet;
    bool is_done = true;
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next) {
        struct process *p = CONTAINER_OF(at, struct process, node);
        if (p->slot->group->role->start_order != step->start_order)
            continue;
        process_drain(p, left_ms(s));
        is_done &= !step->until_gone && (p->is_draining || p->is_last_deadline || !p->line);
    }
    return is_done;
}

static void stop_all(struct fleet *f)
{
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next)
        process_stop(CONTAINER_OF(at, struct process, node), f->settings->stop_timeout_ms);
}

void stop_begin(struct stop *s, bool is_graceful)
{
    struct fleet *f = s->fleet;
    if (s->is_running && (is_graceful || !s->is_graceful))
        return;
    log_info("the server stops%s", is_graceful ? " when its work in hand is done" : "");
    f->is_stopping = true;
    s->is_running = true;
    s->is_graceful = is_graceful;
    s->step = 0;
    s->end_ms = loop_now_ms(f->loop) + f->settings->graceful_timeout_ms;
    if (!is_graceful)
        stop_all(f);
    fleet_touch(f);
}

bool stop_step(struct stop *s)
{
    if (!s->is_running)
        return false;
    while (s->is_graceful && s->step < ARRAY_LEN(steps) && run_step(s, &steps[s->step]))
        s->step++;
    return list_is_empty(&s->fleet->processes);
}
