/* A walk over clients that may rest: others join, leave and close meanwhile. */
#include "gateway/tour.h"

#include "gateway/groups.h"
#include "gateway/roster.h"

void tour_begin(struct tour *t, struct roster *members)
{
    *t = (struct tour){.members = members, .end = members->len};
    roster_hold(members);
}

void tour_begin_group(struct tour *t, struct groups *gs, struct group *group)
{
    *t = (struct tour){0};
    if (!group)
        return;
    *t = (struct tour){
        .members = &group->members, .groups = gs, .group = group, .end = group->members.len};
    group_hold(group);
}

struct client *tour_next(struct tour *t)
{
    while (t->pos < t->end) {
        struct client *client = roster_slots(t->members)[t->pos++];
        if (client)
            return client;
    }
    return NULL;
}

void tour_end(struct tour *t)
{
    if (t->group)
        group_let_go(t->groups, t->group);
    else if (t->members)
        roster_let_go(t->members, &clients_keeper);
    *t = (struct tour){0};
}
