/* Groups and uids: named sets of clients, and the sets that a client is in. */
#include "gateway/groups.h"

#include <string.h>

#include "base/keyed.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/pool.h"

/* What one client has beyond GROUPS_RING_MAX memberships. */
struct crowd {
    uint32_t client_id;
    struct keyed *by_group; /* struct membership */
};

static uint64_t crowd_key(const void *crowd)
{
    return ((const struct crowd *)crowd)->client_id;
}

static uint64_t group_key(const void *group)
{
    return (uintptr_t)group;
}

static uint64_t membership_key(const void *membership)
{
    return group_key(((const struct membership *)membership)->group);
}

/* ---- who is in what ---- */

static void crowd_add(struct groups *gs, struct membership *m)
{
    struct crowd *crowd = keyed_get(gs->crowds, m->client->id);
    if (!crowd) {
        crowd = mem_alloc(sizeof(*crowd));
        *crowd = (struct crowd){.client_id = m->client->id, .by_group = keyed_new(membership_key)};
        keyed_add(gs->crowds, crowd);
    }
    keyed_add(crowd->by_group, m);
    m->is_in_crowd = true;
}

static void crowd_free(struct crowd *crowd)
{
    keyed_free(crowd->by_group);
    mem_free(crowd);
}

static void crowd_remove(struct groups *gs, struct membership *m)
{
    struct crowd *crowd = keyed_get(gs->crowds, m->client->id);
    keyed_remove(crowd->by_group, membership_key(m));
    if (keyed_len(crowd->by_group) > 0)
        return;
    keyed_remove(gs->crowds, crowd->client_id);
    crowd_free(crowd);
}

/* NULL: the client is not in the group. *is_ring_full: a new membership must go to the crowd. One
 * that is not there is among the first of the ring for ever, because who stands before it can only
 * leave. */
static struct membership *find(const struct groups *gs, const struct client *c,
                               const struct group *g, bool *is_ring_full)
{
    struct membership *first = c->memberships[gs->kind], *m = first;
    int n = 0;
    for (; m && n < GROUPS_RING_MAX; n++) {
        if (m->group == g)
            return m;
        m = m->next == first ? NULL : m->next;
    }
    *is_ring_full = n == GROUPS_RING_MAX;
    const struct crowd *crowd = m ? keyed_get(gs->crowds, c->id) : NULL;
    return crowd ? keyed_get(crowd->by_group, group_key(g)) : NULL;
}

static struct membership *membership_of(const struct groups *gs, const struct client *c,
                                        const struct group *g)
{
    bool is_ring_full;
    return find(gs, c, g, &is_ring_full);
}

static uint32_t *pos_of(const struct roster_keeper *k, const struct roster *r, struct client *c)
{
    const struct groups *gs = CONTAINER_OF((uintptr_t)k, struct groups, keeper);
    return &membership_of(gs, c, CONTAINER_OF((uintptr_t)r, struct group, members))->pos;
}

/* ---- the list of groups ---- */

void groups_init(struct groups *gs, enum member_kind kind)
{
    *gs = (struct groups){
        .kind = kind,
        .keeper = {pos_of},
        .by_name = map_new_borrowing(),
        .disbanded = keyed_new(group_key),
        .crowds = keyed_new(crowd_key),
        .pool = pool_new(sizeof(struct membership)),
    };
}

static void free_group(struct group *g)
{
    roster_fini(&g->members);
    mem_free(g);
}

void groups_fini(struct groups *gs)
{
    size_t pos = 0;
    for (struct group *g = groups_next(gs, &pos); g; g = groups_next(gs, &pos))
        free_group(g);
    pos = 0;
    for (struct group *g = keyed_next(gs->disbanded, &pos); g; g = keyed_next(gs->disbanded, &pos))
        free_group(g);
    pos = 0;
    for (struct crowd *c = keyed_next(gs->crowds, &pos); c; c = keyed_next(gs->crowds, &pos))
        crowd_free(c);
    map_free(gs->by_name);
    keyed_free(gs->disbanded);
    keyed_free(gs->crowds);
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
    g->serial = ++gs->last_serial;
    g->name_len = (uint8_t)name.len;
    memcpy(g->name, name.at, name.len);
    map_set(gs->by_name, group_name(g), g);
    if (gs->on_change)
        gs->on_change(gs, group_name(g), true);
    return g;
}

void groups_disband(struct groups *gs, struct group *g)
{
    map_remove(gs->by_name, group_name(g));
    keyed_add(gs->disbanded, g);
    g->is_disbanded = true;
    if (gs->on_change)
        gs->on_change(gs, group_name(g), false);
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
    keyed_remove(gs->disbanded, group_key(g));
    free_group(g);
}

void group_hold(struct group *g)
{
    roster_hold(&g->members);
}

void group_let_go(struct groups *gs, struct group *g)
{
    roster_let_go(&g->members, &gs->keeper);
    look_after(gs, g);
}

void groups_join(struct groups *gs, struct client *c, struct span name)
{
    bool is_ring_full;
    struct group *g = groups_find(gs, name);
    if (find(gs, c, g, &is_ring_full))
        return;
    if (!g)
        g = create(gs, name);
    struct membership *m = pool_take(gs->pool);
    m->client = c;
    m->group = g;
    m->pos = roster_add(&g->members, c);
    if (is_ring_full)
        crowd_add(gs, m);

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
    if (m->is_in_crowd)
        crowd_remove(gs, m);
    roster_remove(&g->members, m->pos, &gs->keeper);
    pool_give(gs->pool, m);
    look_after(gs, g);
}

void groups_leave(struct groups *gs, struct client *c, struct span name)
{
    struct group *g = groups_find(gs, name);
    struct membership *m = g ? membership_of(gs, c, g) : NULL;
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
    leave(gs, membership_of(gs, c, g));
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

size_t groups_of_n(const struct groups *gs, const struct client *c)
{
    const struct membership *first = c->memberships[gs->kind], *m = first;
    size_t n = 0;
    while (m && n < GROUPS_RING_MAX && !m->is_in_crowd) {
        n++;
        m = m->next == first ? NULL : m->next;
    }
    const struct crowd *crowd = m ? keyed_get(gs->crowds, c->id) : NULL;
    return crowd ? n + keyed_len(crowd->by_group) : n;
}

bool groups_has(const struct groups *gs, const struct client *c, struct span name)
{
    const struct group *g = groups_find(gs, name);
    return g && membership_of(gs, c, g);
}
