/* All groups and processes of one server, as the master sees them. */
#include "proc/fleet.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/log.h"
#include "base/mem.h"
#include "proc/process.h"
#include "proc/stuck.h"

enum { SAMPLING_MS = 1000 };

static int by_start_order(const void *a, const void *b)
{
    const struct group *left = a, *right = b;
    if (left->role->start_order != right->role->start_order)
        return left->role->start_order < right->role->start_order ? -1 : 1;
    return left->section->line < right->section->line ? -1 : 1;
}

static const struct role *role_of(const struct conf_section *s, const struct role *const *roles,
                                  size_t roles_n)
{
    for (size_t i = 0; i < roles_n; i++)
        if (roles[i]->table == s->table)
            return roles[i];
    return NULL;
}

/* Slots point to their group, so this comes after the groups have found their places. */
static void settle(struct fleet *f)
{
    qsort(f->groups, f->groups_n, sizeof *f->groups, by_start_order);
    for (size_t g = 0; g < f->groups_n; g++) {
        for (int i = 0; i < f->groups[g].slots_n; i++) {
            f->groups[g].slots[i].group = &f->groups[g];
            f->groups[g].slots[i].serial = f->slots_n++;
        }
    }
}

static void announce(struct task *t)
{
    struct fleet *f = CONTAINER_OF(t, struct fleet, changed);
    f->on_change(f->owner);
}

int fleet_init(struct fleet *f, const struct role *const *roles, size_t roles_n, struct buf *errors)
{
    const struct conf *conf = f->conf;
    size_t sections_n = conf_sections_n(conf);
    int rc = 0;
    f->changed.run = announce;
    list_init(&f->processes);
    f->groups = mem_zalloc((sections_n + 1) * sizeof *f->groups);
    for (size_t i = 0; i < sections_n; i++) {
        const struct conf_section *s = conf_section_at(conf, i);
        const struct role *role = role_of(s, roles, roles_n);
        if (!role)
            continue;
        int failed = role->check ? role->check(conf, s, errors) : 0;
        if (failed == 0)
            failed = group_init(&f->groups[f->groups_n++], f, role, s, errors);
        if (failed < 0)
            rc = failed;
    }
    if (rc == 0 && f->groups_n == 0) {
        buf_puts(errors, "the config has no section that starts a process; write [registry], "
                         "[gateway], [worker] or [web]\n");
        rc = GW_ECONF;
    }
    settle(f);
    return rc;
}

void fleet_fini(struct fleet *f)
{
    while (!list_is_empty(&f->processes))
        process_free(CONTAINER_OF(f->processes.next, struct process, node));
    for (size_t g = 0; g < f->groups_n; g++) {
        for (int i = 0; f->loop && i < f->groups[g].slots_n; i++)
            timer_stop(f->loop, &f->groups[g].slots[i].restart_timer);
        group_fini(&f->groups[g]);
    }
    notices_free(f->notices);
    f->notices = NULL;
    mem_free(f->groups);
    f->groups = NULL;
    f->groups_n = 0;
}

static bool is_ours(const struct fleet *f, pid_t pid)
{
    for (const struct list *at = f->processes.next; at != &f->processes; at = at->next)
        if (CONTAINER_OF_CONST(at, struct process, node)->pid == pid)
            return true;
    return pid == f->build_pid;
}

/* As the first process of a container the master inherits what modules and compilers leave behind.
 * One of ours that has just ended hides those behind it from waitid() until it is reaped, for a
 * second at most. */
static void reap_strangers(const struct fleet *f)
{
    siginfo_t ended = {0};
    while (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0 &&
           !is_ours(f, ended.si_pid)) {
        (void)waitpid(ended.si_pid, NULL, WNOHANG);
        ended.si_pid = 0;
    }
}

static void sample(struct timer *t)
{
    struct fleet *f = CONTAINER_OF(t, struct fleet, sampling);
    for (struct list *at = f->processes.next; at != &f->processes; at = at->next) {
        struct process *p = CONTAINER_OF(at, struct process, node);
        stuck_look(p);
        process_ask_status(p);
    }
    reap_strangers(f);
    timer_start(f->loop, t, SAMPLING_MS);
}

void fleet_start(struct fleet *f)
{
    f->notices = notices_new(f->slots_n);
    if (!f->notices)
        log_warn("no memory to share with the processes: %s; a message for a group may miss who "
                 "has just joined it",
                 gw_strerror(-errno));
    for (size_t g = 0; g < f->groups_n; g++)
        for (int i = 0; i < f->groups[g].slots_n; i++)
            slot_start(&f->groups[g].slots[i]);
    f->sampling.fire = sample;
    timer_start(f->loop, &f->sampling, SAMPLING_MS);
}

void fleet_touch(struct fleet *f)
{
    loop_soon(f->loop, &f->changed);
}

/* Signals wait meanwhile: a handler that ran in the child would still write into the master's pipe,
 * and the master would obey what was meant for the child. */
pid_t fleet_fork(struct fleet *f)
{
    sigset_t all, before;
    fflush(NULL); /* else both processes would print what is buffered now */
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    int saved = errno;
    if (pid == 0)
        f->on_fork(f->owner);
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return pid;
}

static void on_restart(struct timer *t)
{
    slot_start(CONTAINER_OF(t, struct slot, restart_timer));
}

void slot_restart_later(struct slot *s, uint64_t delay_ms)
{
    s->restart_timer.fire = on_restart;
    timer_start(s->fleet->loop, &s->restart_timer, delay_ms);
}

void slot_start(struct slot *s)
{
    if (s->fleet->is_stopping || s->current || s->is_out)
        return;
    s->current = process_new(s->fleet, s, s->group->artifact);
    if (!s->current)
        slot_restart_later(
            s, restart_delay_ms(&s->restart, 0, s->fleet->settings->restart_delay_max_ms));
}

/* The process that served this slot is gone without being asked. */
static void on_crash(struct process *p, int wait_status, uint64_t life_ms)
{
    struct slot *s = p->slot;
    char who[192], how[EXITS_TEXT_MAX];
    exits_text(wait_status, how);
    uint64_t delay_ms =
        restart_delay_ms(&s->restart, life_ms, s->fleet->settings->restart_delay_max_ms);
    log_write(wait_status == 0 ? LOG_INFO : LOG_ERROR,
              "%s (pid %d) ended: %s, after %" PRIu64 ".%" PRIu64
              " s; it is started again in %" PRIu64 ".%" PRIu64 " s",
              process_who(p, who), (int)p->pid, how, life_ms / 1000, life_ms % 1000 / 100,
              delay_ms / 1000, delay_ms % 1000 / 100);
    slot_restart_later(s, delay_ms);
}

static void on_exit_of(struct process *p, int wait_status)
{
    struct slot *s = p->slot;
    struct fleet *f = s->fleet;
    char who[192], how[EXITS_TEXT_MAX];
    uint64_t life_ms = loop_now_ms(f->loop) - p->born_ms;
    exits_add(&s->group->exits, wait_status);
    exits_text(wait_status, how);
    if (s->next == p) {
        if (!p->is_leaving)
            log_error("%s (pid %d, generation %u) ended before it served: %s", process_who(p, who),
                      (int)p->pid, p->generation, how);
        s->next = NULL;
    } else if (s->current == p) {
        s->current = NULL;
        if (!p->is_leaving && !f->is_stopping && !s->is_out)
            on_crash(p, wait_status, life_ms);
    }
    if (p->is_leaving && wait_status != 0 && !p->is_killed)
        log_warn("%s (pid %d) ended while leaving: %s", process_who(p, who), (int)p->pid, how);
}

void fleet_reap(struct fleet *f)
{
    struct list *next;
    for (struct list *at = f->processes.next; at != &f->processes; at = next) {
        struct process *p = CONTAINER_OF(at, struct process, node);
        int wait_status;
        next = at->next;
        if (waitpid(p->pid, &wait_status, WNOHANG) != p->pid)
            continue;
        on_exit_of(p, wait_status);
        process_free(p);
        fleet_touch(f);
    }
    reap_strangers(f);
}
