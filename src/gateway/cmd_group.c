/* Commands that put clients into groups and bind them to uids. */
#include "gateway/cmd.h"
#include "gateway/job.h"
#include "gateway/state.h"
#include "gateway/tour.h"

/* PHP's empty() refuses "" and "0" (vectors/README.md); between our own parts "0" is a name like
 * any other. */
static bool is_name(const struct peer *from, const struct wire_packet *p)
{
    struct span name = p->ext;
    if (name.len >= 1 && name.len <= NAME_MAX_BYTES && (from->speaks_ours || !span_is(name, "0")))
        return true;
    cmd_ignored(from, p, "a uid or group needs 1 to 255 bytes and must not be \"0\"");
    return false;
}

int cmd_bind_uid(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (!is_name(from, p) || !c)
        return 0;
    groups_leave_all(&g->uids, c);
    groups_join(&g->uids, c, p->ext);
    return 0;
}

/* The uid in the packet is not looked at: vectors/README.md. */
int cmd_unbind_uid(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (c)
        groups_leave_all(&g->uids, c);
    return 0;
}

/* Whoever sent the join hears nothing of it: the command has no answer (docs/wire.md). */
static bool has_room(struct gateway *g, const struct peer *from, const struct wire_packet *p,
                     const struct client *c)
{
    size_t max_n = (size_t)g->conf->max_groups_per_client;
    if (max_n == 0 || groups_of_n(&g->groups, c) < max_n || groups_has(&g->groups, c, p->ext))
        return true;
    g->counts.join_refused_n++;
    cmd_ignored(from, p, "the client is in as many groups as max_groups_per_client allows");
    return false;
}

int cmd_join_group(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (!is_name(from, p) || !c || !has_room(g, from, p, c))
        return 0;
    c->had_groups = true;
    groups_join(&g->groups, c, p->ext);
    return 0;
}

int cmd_leave_group(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct client *c = clients_find(&g->clients, p->connection_id);
    if (is_name(from, p) && c)
        groups_leave(&g->groups, c, p->ext);
    return 0;
}

/* ---- ungroup ---- */

struct dissolution {
    struct job job;
    struct tour tour;
};

/* The group has no name any more; only memory is given back here. */
static int expel(struct gateway *g, struct job *j, struct slice *s)
{
    struct dissolution *d = CONTAINER_OF(j, struct dissolution, job);
    while (!slice_is_over(s)) {
        struct client *c = tour_next(&d->tour);
        if (!c)
            return 0;
        groups_expel(&g->groups, d->tour.group, c);
    }
    return 1;
}

static void fini_dissolution(struct gateway *g, struct job *j)
{
    tour_end(&CONTAINER_OF(j, struct dissolution, job)->tour);
}

static const struct job_kind dissolution_kind = {
    .bytes = sizeof(struct dissolution), .step = expel, .fini = fini_dissolution};

int cmd_ungroup(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct dissolution d = {0};
    struct group *group = is_name(from, p) ? groups_find(&g->groups, p->ext) : NULL;
    if (!group)
        return 0;
    tour_begin_group(&d.tour, &g->groups, group);
    groups_disband(&g->groups, group);
    return job_run(g, from, &dissolution_kind, &d.job);
}
