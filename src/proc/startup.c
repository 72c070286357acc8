/* Watches the first processes of a start until all serve, or until one will not. */
#include "proc/startup.h"

#include "proc/process.h"

static void end(struct startup *u, bool is_failed, struct buf *text)
{
    u->is_over = true;
    timer_stop(u->fleet->loop, &u->deadline);
    u->on_over(u->owner, is_failed, buf_span(text));
    buf_fini(text);
}

/* Adds a line per slot that is not ready; *is_failed: one has crashed too often. */
static void look(const struct startup *u, struct buf *text, bool *is_failed)
{
    const struct fleet *f = u->fleet;
    *is_failed = false;
    for (size_t g = 0; g < f->groups_n; g++)
        for (int i = 0; i < f->groups[g].slots_n; i++) {
            const struct slot *s = &f->groups[g].slots[i];
            if (s->current && s->current->is_ready)
                continue;
            bool is_hopeless = s->restart.failures_n >= STARTUP_TRIES_MAX;
            buf_printf(text, "%s #%d %s\n", s->group->title, s->pos,
                       is_hopeless ? "ends before it serves; the log says why"
                                   : "does not serve yet");
            *is_failed |= is_hopeless;
        }
}

static void on_deadline(struct timer *t)
{
    struct startup *u = CONTAINER_OF(t, struct startup, deadline);
    struct buf text = {0};
    bool is_failed;
    look(u, &text, &is_failed);
    end(u, is_failed, &text);
}

void startup_begin(struct startup *u, uint64_t limit_ms)
{
    u->is_over = false;
    u->deadline.fire = on_deadline;
    timer_start(u->fleet->loop, &u->deadline, limit_ms);
}

void startup_step(struct startup *u)
{
    struct buf text = {0};
    bool is_failed;
    if (u->is_over)
        return;
    look(u, &text, &is_failed);
    if (is_failed || text.len == 0)
        end(u, is_failed, &text);
    else
        buf_fini(&text);
}

void startup_fini(struct startup *u)
{
    u->is_over = true;
    timer_stop(u->fleet->loop, &u->deadline);
}
