/* Commands that ask for counts and lists. */

#include "gateway/cmd.h"
#include "gateway/job.h"
#include "gateway/state.h"
#include "gateway/tour.h"
#include "proto/phpser.h"

static struct buf *begin(struct gateway *g)
{
    buf_clear(&g->text);
    return &g->text;
}

static int end(struct gateway *g, struct peer *from)
{
    peer_reply(from, buf_span(&g->text));
    return 0;
}

int cmd_is_online(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    php_put_int(begin(g), clients_find(&g->clients, p->connection_id) ? 1 : 0);
    return end(g, from);
}

static const struct roster NOBODY = {0};

static const struct roster *members_of(const struct groups *gs, struct span name)
{
    const struct group *group = groups_find(gs, name);
    return group ? &group->members : &NOBODY;
}

int cmd_group_count(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    const struct roster *counted =
        p->ext.len == 0 ? &g->clients.all : members_of(&g->groups, p->ext);
    php_put_int(begin(g), counted->live_n);
    return end(g, from);
}

/* ---- lists: entries in connecting or joining order (vectors/README.md) ---- */

struct listing {
    struct job job;
    struct tour tour;
};

static void fini_listing(struct gateway *g, struct job *j)
{
    tour_end(&CONTAINER_OF(j, struct listing, job)->tour);
}

static int list_sessions(struct gateway *g, struct job *j, struct slice *s)
{
    struct tour *tour = &CONTAINER_OF(j, struct listing, job)->tour;
    while (!slice_is_over(s)) {
        const struct client *c = tour_next(tour);
        if (!c)
            return 0;
        php_put_int(s->out, c->id);
        php_put_string(s->out, client_session(c));
        s->entries_n++;
    }
    return 1;
}

static const struct job_kind sessions_kind = {.bytes = sizeof(struct listing),
                                              .has_answer = true,
                                              .step = list_sessions,
                                              .fini = fini_listing};

int cmd_all_sessions(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct listing l = {0};
    tour_begin(&l.tour, &g->clients.all);
    return job_run(g, from, &sessions_kind, &l.job);
}

int cmd_group_sessions(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct listing l = {0};
    tour_begin_group(&l.tour, &g->groups, groups_find(&g->groups, p->ext));
    return job_run(g, from, &sessions_kind, &l.job);
}

static int list_ids(struct gateway *g, struct job *j, struct slice *s)
{
    struct tour *tour = &CONTAINER_OF(j, struct listing, job)->tour;
    while (!slice_is_over(s)) {
        const struct client *c = tour_next(tour);
        if (!c)
            return 0;
        php_put_int(s->out, (int64_t)(j->entries_n + s->entries_n));
        php_put_int(s->out, c->id);
        s->entries_n++;
    }
    return 1;
}

static const struct job_kind ids_kind = {
    .bytes = sizeof(struct listing), .has_answer = true, .step = list_ids, .fini = fini_listing};

int cmd_uid_clients(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct listing l = {0};
    tour_begin_group(&l.tour, &g->uids, groups_find(&g->uids, p->ext));
    return job_run(g, from, &ids_kind, &l.job);
}

/* ---- the list of groups ---- */

struct group_listing {
    struct job job;
    size_t pos;
    uint32_t last_serial; /* groups that come later are not listed: they could come for ever */
};

static int list_groups(struct gateway *g, struct job *j, struct slice *s)
{
    struct group_listing *l = CONTAINER_OF(j, struct group_listing, job);
    while (!slice_is_over(s)) {
        const struct group *group = groups_next(&g->groups, &l->pos);
        if (!group || (int32_t)(group->serial - l->last_serial) > 0)
            return 0;
        php_put_int(s->out, (int64_t)(j->entries_n + s->entries_n));
        php_put_key(s->out, group_name(group)); /* PHP returns array keys: "5" is i:5; */
        s->entries_n++;
    }
    return 1;
}

static void fini_group_listing(struct gateway *g, struct job *j)
{
    groups_let_go(&g->groups);
}

static const struct job_kind groups_kind = {.bytes = sizeof(struct group_listing),
                                            .has_answer = true,
                                            .step = list_groups,
                                            .fini = fini_group_listing};

int cmd_group_ids(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct group_listing l = {.last_serial = g->groups.last_serial};
    groups_hold(&g->groups);
    return job_run(g, from, &groups_kind, &l.job);
}
