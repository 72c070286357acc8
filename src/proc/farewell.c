/* Takes single processes out of service without haste, and back: drain and undrain. */
#include "proc/farewell.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "net/sock.h"
#include "proc/exit_code.h"
#include "proc/process.h"

enum { TELL_MS = 1000, WHO_MAX = 160 };

struct caller {
    struct list node;
    struct ctl_session *session;
    char who[WHO_MAX];
    bool comes_back;
};

static bool is_meant(const struct slot *s, const char *who)
{
    const struct group *g = s->group;
    char pid[16] = "";
    if (s->current)
        snprintf(pid, sizeof pid, "%d", (int)s->current->pid);
    return g->role->retreat &&
           (strcmp(who, g->name) == 0 || strcmp(who, g->title) == 0 ||
            strcmp(who, g->role->kind) == 0 || (*who && strcmp(who, g->section->name) == 0) ||
            (*pid && strcmp(who, pid) == 0));
}

static struct slot *next_slot(const struct fleet *f, size_t *group_pos, int *slot_pos)
{
    while (*group_pos < f->groups_n) {
        struct group *g = &f->groups[*group_pos];
        if (*slot_pos < g->slots_n)
            return &g->slots[(*slot_pos)++];
        (*group_pos)++;
        *slot_pos = 0;
    }
    return NULL;
}

/* For each slot that is meant; how many there were. */
static int for_each(const struct fleet *f, const char *who,
                    void (*visit)(struct slot *s, void *arg), void *arg)
{
    size_t group_pos = 0;
    int slot_pos = 0, n = 0;
    for (struct slot *s = next_slot(f, &group_pos, &slot_pos); s;
         s = next_slot(f, &group_pos, &slot_pos)) {
        if (!is_meant(s, who))
            continue;
        visit(s, arg);
        n++;
    }
    return n;
}

static void refuse(struct ctl_session *s, const char *who)
{
    ctl_say(s, "%s: no gateway has that name or pid\n", who);
    ctl_end(s, EXIT_CODE_FAILED);
}

/* ---- out ---- */

struct order {
    struct caller *caller;
    uint64_t per_second, seconds;
};

static void send_out(struct slot *s, void *arg)
{
    const struct order *o = arg;
    s->farewell = o->caller;
    s->is_out = true;
    timer_stop(s->fleet->loop, &s->restart_timer);
    if (s->current)
        process_retreat(s->current, o->per_second, o->seconds);
}

void farewell_drain(struct farewell *f, struct ctl_session *s, const char *words)
{
    struct caller *c = mem_zalloc(sizeof *c);
    struct order o = {.caller = c};
    int comes_back = 0;
    c->session = s;
    if (sscanf(words, "%159s %" SCNu64 " %" SCNu64 " %d", c->who, &o.per_second, &o.seconds,
               &comes_back) != 4 ||
        f->fleet->is_stopping || for_each(f->fleet, c->who, send_out, &o) == 0) {
        refuse(s, c->who);
        mem_free(c);
        return;
    }
    c->comes_back = comes_back != 0;
    list_append(&f->callers, &c->node);
    timer_start(f->fleet->loop, &f->tell, TELL_MS);
    fleet_touch(f->fleet);
}

/* ---- back ---- */

static void call_back(struct slot *s)
{
    for (size_t i = 0; i < s->listens_n; i++) {
        int rc = s->listens[i].unix_path ? 0 : sock_listen_again(s->fds[i]);
        if (rc < 0)
            log_error("%s #%d cannot listen on %s again: %s", s->group->title, s->pos,
                      s->listens[i].url, strerror(-rc));
    }
    s->is_out = false;
    s->farewell = NULL;
    slot_start(s);
}

struct return_call {
    int back_n, leaving_n;
};

static void undrain_one(struct slot *s, void *arg)
{
    struct return_call *r = arg;
    if (!s->is_out)
        return;
    r->leaving_n += s->current != NULL;
    if (s->current)
        return;
    r->back_n++;
    call_back(s);
}

void farewell_undrain(struct farewell *f, struct ctl_session *s, const char *who)
{
    struct return_call r = {0};
    if (f->fleet->is_stopping || for_each(f->fleet, who, undrain_one, &r) == 0) {
        refuse(s, who);
        return;
    }
    ctl_say(s, "%d started\n", r.back_n);
    if (r.leaving_n > 0)
        ctl_say(s, "%d still have clients; ask again when they are gone\n", r.leaving_n);
    ctl_end(s, r.leaving_n > 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK);
}

/* ---- how far it is ---- */

struct progress {
    const struct caller *caller;
    struct ctl_session *session; /* NULL: says nothing */
    int left_n;
    bool starts;
};

static void look(struct fleet *f, struct progress *p)
{
    size_t group_pos = 0;
    int slot_pos = 0;
    for (struct slot *s = next_slot(f, &group_pos, &slot_pos); s;
         s = next_slot(f, &group_pos, &slot_pos)) {
        char who[192];
        if (s->farewell != p->caller)
            continue;
        if (s->current) {
            p->left_n++;
            ctl_say(p->session, "%s: %" PRIu64 " clients left\n", process_who(s->current, who),
                    s->current->status.connections_n);
        } else if (p->starts) {
            call_back(s);
        }
    }
}

static void end_caller(struct farewell *f, struct caller *c, int exit_code)
{
    size_t group_pos = 0;
    int slot_pos = 0;
    for (struct slot *s = next_slot(f->fleet, &group_pos, &slot_pos); s;
         s = next_slot(f->fleet, &group_pos, &slot_pos))
        if (s->farewell == c)
            s->farewell = NULL;
    ctl_end(c->session, exit_code);
    list_remove(&c->node);
    mem_free(c);
}

static void on_tell(struct timer *t)
{
    struct farewell *f = CONTAINER_OF(t, struct farewell, tell);
    for (struct list *n = f->callers.next; n != &f->callers; n = n->next) {
        struct caller *c = CONTAINER_OF(n, struct caller, node);
        look(f->fleet, &(struct progress){.caller = c, .session = c->session});
    }
    if (!list_is_empty(&f->callers))
        timer_start(f->fleet->loop, t, TELL_MS);
}

/* A process that was killed on its way out may have left its sockets listening, for nobody. */
static void close_doors(const struct fleet *f)
{
    size_t group_pos = 0;
    int slot_pos = 0;
    for (struct slot *s = next_slot(f, &group_pos, &slot_pos); s;
         s = next_slot(f, &group_pos, &slot_pos))
        for (size_t i = 0; s->is_out && !s->current && i < s->listens_n; i++)
            sock_unlisten(s->fds[i]);
}

static void conclude(struct farewell *f, struct caller *c)
{
    if (f->fleet->is_stopping) {
        ctl_say(c->session, "ended with the server, which stops\n");
        end_caller(f, c, EXIT_CODE_FAILED);
        return;
    }
    if (c->comes_back)
        look(f->fleet, &(struct progress){.caller = c, .starts = true});
    ctl_say(c->session, c->comes_back ? "empty; a new process starts\n"
                                      : "empty; \"gatehouse undrain\" brings it back\n");
    end_caller(f, c, EXIT_CODE_OK);
}

void farewell_step(struct farewell *f)
{
    struct list *next;
    close_doors(f->fleet);
    for (struct list *n = f->callers.next; n != &f->callers; n = next) {
        struct caller *c = CONTAINER_OF(n, struct caller, node);
        struct progress p = {.caller = c};
        next = n->next;
        look(f->fleet, &p);
        if (p.left_n == 0)
            conclude(f, c);
    }
}

void farewell_init(struct farewell *f, struct fleet *fleet)
{
    *f = (struct farewell){.fleet = fleet, .tell = {.fire = on_tell}};
    list_init(&f->callers);
}

void farewell_fini(struct farewell *f)
{
    timer_stop(f->fleet->loop, &f->tell);
    while (!list_is_empty(&f->callers))
        end_caller(f, CONTAINER_OF(f->callers.next, struct caller, node), EXIT_CODE_FAILED);
}
