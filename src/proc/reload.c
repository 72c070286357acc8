/* Reload: builds the new code, starts new processes beside the old ones, then lets the old ones
 * leave. */
#include "proc/reload.h"

#include <errno.h>
#include <string.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "proc/exit_code.h"
#include "proc/process.h"

static void next_group(struct reload *r);

static struct group *group_of(const struct reload *r)
{
    return &r->fleet->groups[r->group_pos];
}

static void say(struct reload *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct reload *r, const char *fmt, ...)
{
    struct buf text = {0};
    va_list args;
    va_start(args, fmt);
    buf_vprintf(&text, fmt, args);
    va_end(args);
    for (size_t i = 0; i < r->callers.len; i++)
        ctl_say(r->callers.at[i], "%s\n", buf_cstr(&text));
    log_info("reload: %s", buf_cstr(&text));
    buf_fini(&text);
}

static void end_run(struct reload *r)
{
    int exit_code = r->is_failed ? EXIT_CODE_FAILED : EXIT_CODE_OK;
    while (r->callers.len > 0)
        ctl_end(vec_pop(&r->callers), exit_code);
    r->stage = RELOAD_IDLE;
    if (!r->is_queued)
        return;
    r->is_queued = false;
    while (r->queued.len > 0)
        vec_push(&r->callers, vec_pop(&r->queued));
    reload_ask(r, NULL);
}

static void fail_group(struct reload *r, const char *why)
{
    struct group *g = group_of(r);
    r->is_failed = true;
    timer_stop(r->fleet->loop, &r->deadline);
    say(r, "%s: FAILED: %s; the old code keeps running", g->title, why);
    for (int i = 0; i < g->slots_n; i++) {
        struct process *p = g->slots[i].next;
        g->slots[i].next = NULL;
        if (p)
            process_stop(p, r->fleet->settings->stop_timeout_ms);
    }
    if (!g->artifact || !r->artifact || strcmp(g->artifact, r->artifact) != 0)
        group_drop_artifact(r->fleet->settings->run_dir, &r->artifact);
    mem_free(r->artifact);
    r->artifact = NULL;
    next_group(r);
}

static void start_some(struct reload *r)
{
    struct group *g = group_of(r);
    int starting_n = 0;
    for (int i = 0; i < r->started_n; i++)
        starting_n += !g->slots[i].next->is_ready;
    while (r->started_n < g->slots_n && starting_n < RELOAD_STARTING_MAX) {
        struct slot *s = &g->slots[r->started_n];
        s->next = process_new(r->fleet, s, r->artifact);
        if (!s->next) {
            fail_group(r, "a new process could not be made");
            return;
        }
        r->started_n++;
        starting_n++;
        timer_start(r->fleet->loop, &r->deadline, r->fleet->settings->ready_timeout_ms);
    }
}

static void take_over(struct reload *r)
{
    struct group *g = group_of(r);
    timer_stop(r->fleet->loop, &r->deadline);
    for (int i = 0; i < g->slots_n; i++) {
        struct slot *s = &g->slots[i];
        struct process *old = s->current;
        timer_stop(r->fleet->loop, &s->restart_timer);
        s->restart.failures_n = 0;
        s->current = s->next;
        s->next = NULL;
        if (old)
            process_drain(old, r->fleet->settings->graceful_timeout_ms);
    }
    r->old_artifact = g->artifact;
    g->artifact = r->artifact;
    g->serial++;
    r->artifact = NULL;
    r->stage = RELOAD_LEAVING;
    fleet_touch(r->fleet);
}

static void step_starting(struct reload *r)
{
    const struct group *g = group_of(r);
    int ready_n = 0;
    for (int i = 0; i < r->started_n; i++) {
        if (!g->slots[i].next) {
            fail_group(r, "a new process ended before it served (the log says why)");
            return;
        }
        ready_n += g->slots[i].next->is_ready;
    }
    if (r->is_late)
        fail_group(r, "a new process did not serve within ready_timeout");
    else if (ready_n == g->slots_n)
        take_over(r);
    else
        start_some(r);
}

static void on_deadline(struct timer *t)
{
    struct reload *r = CONTAINER_OF(t, struct reload, deadline);
    r->is_late = true;
    fleet_touch(r->fleet);
}

static void begin_starting(struct reload *r)
{
    r->stage = RELOAD_STARTING;
    r->started_n = 0;
    r->is_late = false;
    fleet_touch(r->fleet);
}

static bool has_leaving(const struct reload *r)
{
    struct fleet *f = r->fleet;
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next) {
        const struct process *p = CONTAINER_OF(at, struct process, node);
        if (p->slot->group == group_of(r) && p->slot->current != p && p->slot->next != p)
            return true;
    }
    return false;
}

static void step_leaving(struct reload *r)
{
    struct group *g = group_of(r);
    if (has_leaving(r))
        return;
    if (g->artifact && r->old_artifact && strcmp(g->artifact, r->old_artifact) != 0)
        group_drop_artifact(r->fleet->settings->run_dir, &r->old_artifact);
    mem_free(r->old_artifact);
    r->old_artifact = NULL;
    say(r, "%s: %d processes replaced", g->title, g->slots_n);
    next_group(r);
}

/* The caller gets it as it is, the log line by line. */
static void pass_on(struct reload *r, struct span output, enum log_level level)
{
    for (size_t i = 0; i < r->callers.len; i++)
        ctl_send(r->callers.at[i], output);
    while (output.len > 0) {
        struct span line = span_cut(&output, '\n');
        log_write(level, "reload: %s: %.*s", group_of(r)->title, (int)line.len,
                  (const char *)line.at);
    }
}

static void on_built(void *owner, int rc, const char *artifact, struct span output)
{
    struct reload *r = owner;
    r->builder = NULL;
    pass_on(r, output, rc < 0 ? LOG_ERROR : LOG_INFO);
    if (rc < 0) {
        fail_group(r, rc == GW_ETIMEOUT ? "the build took longer than prepare_timeout"
                                        : "the build failed");
        return;
    }
    r->artifact = artifact ? mem_strdup(artifact) : NULL;
    begin_starting(r);
}

/* Takes what credentials() complained of apart. */
static void say_errors(struct reload *r, struct span errors)
{
    while (errors.len > 0) {
        struct span line = span_cut(&errors, '\n');
        say(r, "%.*s", (int)line.len, (const char *)line.at);
    }
}

static void reopen_group(struct reload *r)
{
    struct group *g = group_of(r);
    struct buf errors = {0};
    int rc = group_read_credentials(g, r->fleet->conf, &errors);
    for (int i = 0; i < g->slots_n; i++)
        if (g->slots[i].current)
            process_reopen(g->slots[i].current,
                           rc < 0 ? span_of(NULL, 0) : buf_span(&g->credentials));
    if (rc < 0) {
        r->is_failed = true;
        say_errors(r, buf_span(&errors));
        say(r, "%s: FAILED: keeps its processes, and the certificates and tokens that they have",
            g->title);
    } else {
        say(r, "%s: keeps its processes; log, certificates and tokens are read again", g->title);
    }
    buf_fini(&errors);
}

static void begin_group(struct reload *r)
{
    struct group *g = group_of(r);
    if (!g->role->prepare) {
        begin_starting(r);
        return;
    }
    r->stage = RELOAD_BUILDING;
    r->builder = builder_start(r->fleet, r->fleet->loop, g, on_built, r);
    if (!r->builder)
        fail_group(r, gw_strerror(-errno));
}

static void next_group(struct reload *r)
{
    while (++r->group_pos < r->fleet->groups_n) {
        if (group_of(r)->role->is_reloadable) {
            begin_group(r);
            return;
        }
        reopen_group(r);
    }
    end_run(r);
}

void reload_init(struct reload *r, struct fleet *f)
{
    *r = (struct reload){.fleet = f, .deadline = {.fire = on_deadline}};
}

/* Made here first and given to the processes' user, which may not create it in its folder. */
static void reopen_log(const struct fleet *f)
{
    int rc = log_reopen();
    if (rc == 0)
        rc = privileges_give_log(f->privileges);
    if (rc < 0)
        log_warn("cannot open the log file again: %s", gw_strerror(rc));
}

void reload_ask(struct reload *r, struct ctl_session *s)
{
    if (r->stage != RELOAD_IDLE) {
        ctl_say(s, "a reload is running; yours follows it\n");
        r->is_queued = true;
        if (s)
            vec_push(&r->queued, s);
        return;
    }
    if (s)
        vec_push(&r->callers, s);
    reopen_log(r->fleet);
    r->is_failed = false;
    r->group_pos = SIZE_MAX; /* the step to the first group makes it 0 */
    next_group(r);
}

void reload_step(struct reload *r)
{
    if (r->stage == RELOAD_STARTING)
        step_starting(r);
    else if (r->stage == RELOAD_LEAVING)
        step_leaving(r);
}

void reload_fini(struct reload *r)
{
    timer_stop(r->fleet->loop, &r->deadline);
    builder_cancel(r->builder);
    r->builder = NULL;
    r->is_queued = false;
    r->is_failed = true;
    while (r->queued.len > 0)
        vec_push(&r->callers, vec_pop(&r->queued));
    if (r->callers.len > 0)
        say(r, "given up: the server stops");
    end_run(r);
    group_drop_artifact(r->fleet->settings->run_dir, &r->artifact);
    group_drop_artifact(r->fleet->settings->run_dir, &r->old_artifact);
    vec_fini(&r->callers);
    vec_fini(&r->queued);
}
