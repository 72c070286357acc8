/* Questions to all processes at once, answered to the caller when all have spoken or a second has
 * passed. */
#include "proc/query.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/vec.h"
#include "proc/exit_code.h"
#include "proc/metrics.h"
#include "proc/row.h"
#include "proc/status.h"
#include "proc/version.h"

enum { ANSWER_MAX_BYTES = 32 * 1024 * 1024 };

struct query {
    struct list node;
    struct queries *all;
    struct ctl_session *session;
    pid_t asker; /* the process that asked for metrics; 0: a session did */
    struct timer deadline;
    bool is_json;
    uint64_t listing; /* serial, 0 until its turn comes */
    bool is_listing;
    struct buf text;
};

void queries_init(struct queries *q, struct fleet *f, bool is_detached)
{
    *q = (struct queries){.fleet = f, .is_detached = is_detached, .start_wall_s = clock_wall_s()};
    list_init(&q->waiting);
}

static struct process *process_at(struct list *node)
{
    return CONTAINER_OF(node, struct process, node);
}

/* Resident memory from /proc (proc(5), statm: second field, in pages). */
static uint64_t memory_of(pid_t pid)
{
    char path[64], text[128];
    uint64_t pages;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text);
    close(fd);
    struct span rest = span_of(text, n > 0 ? (size_t)n : 0);
    (void)span_cut(&rest, ' ');
    return span_to_u64(span_cut(&rest, ' '), &pages) ? pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void fill_row(struct process *p, struct status_row *row, char doing[ACTIVITY_TEXT_MAX])
{
    const struct slot *s = p->slot;
    doing[0] = '\0';
    if (p->activity)
        activity_text(p->activity, doing);
    *row = (struct status_row){.pid = p->pid,
                               .name = s->group->name,
                               .kind = s->group->role->kind,
                               .slot = s->pos,
                               .generation = p->generation,
                               .listening = s->listens_n > 0 ? s->listens[0].url : NULL,
                               .memory_bytes = memory_of(p->pid),
                               .qps = p->qps,
                               .is_busy = p->is_asked || !p->has_status,
                               .doing = doing,
                               .is_ready = p->is_ready,
                               .is_leaving = p->is_leaving,
                               .counts = p->status};
}

static int by_section_and_slot(const void *a, const void *b)
{
    const struct process *left = *(void *const *)a, *right = *(void *const *)b;
    if (left->slot->group != right->slot->group) /* members of one array, in start_order */
        return left->slot->group < right->slot->group ? -1 : 1;
    if (left->slot != right->slot)
        return left->slot->pos - right->slot->pos;
    return left->generation < right->generation ? -1 : 1;
}

static void put_status(struct query *q, const struct vec *sorted)
{
    struct fleet *f = q->all->fleet;
    struct status_view v = {.version = GATEHOUSE_VERSION,
                            .is_detached = q->all->is_detached,
                            .master_pid = getpid(),
                            .start_wall_s = q->all->start_wall_s,
                            .now_wall_s = clock_wall_s(),
                            .groups_n = f->groups_n,
                            .rows_n = sorted->len};
    struct status_row *rows = mem_alloc((sorted->len + 1) * sizeof *rows);
    char(*doing)[ACTIVITY_TEXT_MAX] = mem_alloc((sorted->len + 1) * sizeof *doing);
    struct status_group *groups = mem_alloc((f->groups_n + 1) * sizeof *groups);
    for (size_t i = 0; i < sorted->len; i++)
        fill_row(sorted->at[i], &rows[i], doing[i]);
    for (size_t i = 0; i < f->groups_n; i++)
        groups[i] = (struct status_group){.name = f->groups[i].name,
                                          .kind = f->groups[i].role->kind,
                                          .exits = &f->groups[i].exits};
    if (getloadavg(v.load, 3) != 3)
        v.load[0] = v.load[1] = v.load[2] = 0;
    v.rows = rows;
    v.groups = groups;
    if (q->asker)
        metrics_text(&q->text, &v);
    else if (q->is_json)
        status_json(&q->text, &v);
    else
        status_text(&q->text, &v);
    mem_free(rows);
    mem_free(doing);
    mem_free(groups);
}

static void answer_status(struct query *q)
{
    struct fleet *f = q->all->fleet;
    struct vec sorted = {0};
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next)
        vec_push(&sorted, process_at(at));
    if (sorted.len > 0)
        qsort(sorted.at, sorted.len, sizeof(void *), by_section_and_slot);
    put_status(q, &sorted);
    vec_fini(&sorted);
}

static void list_next(struct queries *all);

/* Looked for again, since it may have ended meanwhile. */
static void tell_asker(const struct query *q)
{
    struct fleet *f = q->all->fleet;
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next)
        if (process_at(at)->pid == q->asker)
            process_tell_metrics(process_at(at), buf_span(&q->text));
}

static void finish(struct query *q, int exit_code)
{
    struct queries *all = q->all;
    bool was_listing = q->is_listing && q->listing != 0;
    if (q->asker)
        tell_asker(q);
    ctl_send(q->session, buf_span(&q->text));
    ctl_end(q->session, exit_code);
    timer_stop(all->fleet->loop, &q->deadline);
    list_remove(&q->node);
    buf_fini(&q->text);
    mem_free(q);
    if (was_listing)
        list_next(all);
}

/* Who still owes an answer is named below the list, so that nobody takes it for whole. */
static void note_missing(struct query *q)
{
    struct fleet *f = q->all->fleet;
    char who[192];
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next) {
        struct process *p = process_at(at);
        if (p->listing == q->listing)
            buf_printf(&q->text, "%d %s: [busy], no answer within %d s\n", (int)p->pid,
                       process_who(p, who), QUERY_WAIT_MS / 1000);
    }
}

static void complete(struct query *q)
{
    if (q->is_listing)
        note_missing(q);
    else
        answer_status(q);
    finish(q, EXIT_CODE_OK);
}

static void on_deadline(struct timer *t)
{
    complete(CONTAINER_OF(t, struct query, deadline));
}

static struct query *query_new(struct queries *all, struct ctl_session *s)
{
    struct query *q = mem_zalloc(sizeof *q);
    q->all = all;
    q->session = s;
    q->deadline.fire = on_deadline;
    list_append(&all->waiting, &q->node);
    return q;
}

static void ask_all(struct query *q)
{
    struct fleet *f = q->all->fleet;
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next)
        process_ask_status(process_at(at));
    timer_start(f->loop, &q->deadline, QUERY_WAIT_MS);
    fleet_touch(f);
}

void query_status(struct queries *all, struct ctl_session *s, bool is_json)
{
    struct query *q = query_new(all, s);
    q->is_json = is_json;
    ask_all(q);
}

void query_metrics(struct queries *all, const struct process *asker)
{
    struct query *q = query_new(all, NULL);
    q->asker = asker->pid;
    ask_all(q);
}

/* Begins the oldest list that waits, unless one is under way. */
static void list_next(struct queries *all)
{
    struct query *first = NULL;
    struct fleet *f = all->fleet;
    for (struct list *at = all->waiting.prev; at != &all->waiting; at = at->prev) {
        struct query *q = CONTAINER_OF(at, struct query, node);
        if (q->is_listing && q->listing != 0)
            return;
        if (q->is_listing)
            first = q;
    }
    if (!first)
        return;
    first->listing = ++all->serial;
    status_connections_head(&first->text);
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next)
        process_ask_connections(process_at(at), first->listing);
    timer_start(f->loop, &first->deadline, QUERY_WAIT_MS);
    fleet_touch(f);
}

void query_connections(struct queries *all, struct ctl_session *s)
{
    struct query *q = query_new(all, s);
    q->is_listing = true;
    list_next(all);
}

static bool is_answered(const struct query *q)
{
    struct fleet *f = q->all->fleet;
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next) {
        const struct process *p = process_at(at);
        if (q->is_listing ? p->listing == q->listing : p->is_asked && p->line)
            return false;
    }
    return true;
}

void queries_step(struct queries *all)
{
    struct list *next;
    for (struct list *at = all->waiting.next; at != &all->waiting; at = next) {
        struct query *q = CONTAINER_OF(at, struct query, node);
        next = at->next;
        if (timer_is_running(&q->deadline) && is_answered(q))
            complete(q);
    }
}

void queries_row(struct queries *all, struct process *p, uint64_t serial, struct span line)
{
    struct row_connection row;
    for (struct list *at = all->waiting.next; at != &all->waiting; at = at->next) {
        struct query *q = CONTAINER_OF(at, struct query, node);
        if (q->listing != serial || q->text.len > ANSWER_MAX_BYTES)
            continue;
        if (row_get_connection(line, &row))
            status_connection_row(&q->text, p->pid, p->slot->group->name, &row.row);
        if (q->text.len > ANSWER_MAX_BYTES)
            buf_puts(&q->text, "… and more: the list is cut here\n");
    }
}

void queries_fini(struct queries *all)
{
    while (!list_is_empty(&all->waiting)) {
        struct query *q = CONTAINER_OF(all->waiting.next, struct query, node);
        q->is_listing = false; /* no further list begins */
        finish(q, EXIT_CODE_FAILED);
    }
}
