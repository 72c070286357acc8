/* Groups and uids: named sets of clients, and the sets that a client is in. */
#include "gateway/groups.h"

#include <string.h>

#include "base/keyed.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/pool.h"

static uint64_t membership_key(const struct group *g, uint32_t client_id)
{
    return (uint64_t)g->serial << 32 | client_id;
}

static uint64_t key_of_membership(const void *membership)
{
    const struct membership *m = membership;
    return membership_key(m->group, m->client_id);
}

static uint64_t serial_of(const void *group)
{
    return ((const struct group *)group)->serial;
}

void groups_init(struct groups *gs, enum member_kind kind)
{
    *gs = (struct groups){
        .kind = kind,
        .by_name = map_new_borrowing(),
        .by_serial = keyed_new(serial_of),
        .memberships = keyed_new(key_of_membership),
        .pool = pool_new(sizeof(struct membership)),
    };
}

void groups_fini(struct groups *gs)
{
    size_t pos = 0;
    for (struct group *g = keyed_next(gs->by_serial, &pos); g;
         g = keyed_next(gs->by_serial, &pos)) {
        roster_fini(&g->members);
        mem_free(g);
    }
    map_free(gs->by_name);
    keyed_free(gs->by_serial);
    keyed_free(gs->memberships);
    pool_free(gs->pool);
}

size_t groups_len(const struct groups *gs)
{
    return map_len(gs->by_name);
}

struct group *groups_find(const struct groups *gs, struct span name)
{
    return map_get(gs->by_name, name);
}

struct group *groups_next(const struct groups *gs, size_t *pos)
{
    struct span name;
    void *group;
    return map_next(gs->by_name, pos, &name, &group) ? group : NULL;
}

void groups_hold(struct groups *gs)
{
    map_hold(gs->by_name);
}

void groups_let_go(struct groups *gs)
{
    map_let_go(gs->by_name);
}

static struct group *create(struct groups *gs, struct span name)
{
    struct group *g = mem_zalloc(sizeof(*g) + name.len);
    do {
        gs->last_serial++;
    } while (keyed_get(gs->by_serial, gs->last_serial));
    g->serial = gs->last_serial;
    g->name_len = (uint8_t)name.len;
    memcpy(g->name, name.at, name.len);
    map_set(gs->by_name, group_name(g), g);
    keyed_add(gs->by_serial, g);
    return g;
}

void groups_disband(struct groups *gs, struct group *g)
{
    map_remove(gs->by_name, group_name(g));
    g->is_disbanded = true;
}

/* A group ends with its last member, once nobody walks it any more. */
static void look_after(struct groups *gs, struct group *g)
{
    if (g->members.live_n > 0)
        return;
    if (!g->is_disbanded)
        groups_disband(gs, g);
    if (g->members.holds_n > 0)
        return;
    keyed_remove(gs->by_serial, g->serial);
    roster_fini(&g->members);
    mem_free(g);
}

void group_hold(struct group *g)
{
    roster_hold(&g->members);
}

void group_let_go(struct groups *gs, struct group *g)
{
    roster_let_go(&g->members);
    look_after(gs, g);
}

void groups_join(struct groups *gs, struct client *c, struct span name)
{
    struct group *g = groups_find(gs, name);
    if (!g)
        g = create(gs, name);
    else if (keyed_get(gs->memberships, membership_key(g, c->id)))
        return;
    struct membership *m = pool_take(gs->pool);
    m->client = c;
    m->client_id = c->id;
    m->group = g;
    roster_add(&g->members, c, &m->pos);
    keyed_add(gs->memberships, m);

    struct membership *first = c->memberships[gs->kind];
    if (!first) {
        m->next = m->prev = m;
        c->memberships[gs->kind] = m;
        return;
    }
    m->next = first;
    m->prev = first->prev;
    first->prev->next = m;
    first->prev = m;
}

static void leave(struct groups *gs, struct membership *m)
{
    struct group *g = m->group;
    struct membership **first = &m->client->memberships[gs->kind];
    if (*first == m)
        *first = m->next == m ? NULL : m->next;
    m->next->prev = m->prev;
    m->prev->next = m->next;
    keyed_remove(gs->memberships, membership_key(g, m->client_id));
    roster_remove(&g->members, m->pos);
    pool_give(gs->pool, m);
    look_after(gs, g);
}

void groups_leave(struct groups *gs, struct client *c, struct span name)
{
    struct group *g = groups_find(gs, name);
    struct membership *m = g ? keyed_get(gs->memberships, membership_key(g, c->id)) : NULL;
    if (m)
        leave(gs, m);
}

void groups_leave_all(struct groups *gs, struct client *c)
{
    while (c->memberships[gs->kind])
        leave(gs, c->memberships[gs->kind]);
}

void groups_expel(struct groups *gs, struct group *g, struct client *c)
{
    leave(gs, keyed_get(gs->memberships, membership_key(g, c->id)));
}

const struct membership *groups_of(const struct groups *gs, const struct client *c,
                                   const struct membership *after)
{
    const struct membership *first = c->memberships[gs->kind];
    const struct membership *m = after ? after->next : first;
    if (after && m == first)
        return NULL;
    while (m && m->group->is_disbanded)
        m = m->next == first ? NULL : m->next;
    return m;
}
