/* Groups and uids: named sets of clients, and the sets that a client is in. */
#ifndef GATEWAY_GROUPS_H
#define GATEWAY_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "gateway/clients.h"
#include "gateway/roster.h"

struct keyed;
struct map;
struct pool;

enum { NAME_MAX_BYTES = 255 };

/* One client in one group: a link of the client's ring, a slot of the group's roster. */
struct membership {
    struct client *client;
    struct group *group;
    struct membership *next, *prev;
    uint32_t pos;     /* in group->members */
    bool is_in_crowd; /* found through groups.crowds */
};

struct group {
    struct roster members; /* in joining order */
    uint32_t serial;       /* in the order of creation, wrapping */
    bool is_disbanded;     /* has lost its name; is freed when nobody is in it or walks it */
    uint8_t name_len;
    uint8_t name[];
};

/* All groups (or all uids) of a process. A group exists while it has members; its place in the
 * order is lost with the last one (vectors/README.md). Joining, leaving and closing are O(1) each:
 * the few memberships of most clients are found by walking the ring, and what a client has beyond
 * GROUPS_RING_MAX is in a table of its own. */
struct groups {
    enum member_kind kind;
    /* Told when a name gets its first member or has lost its last. May be NULL. */
    void (*on_change)(struct groups *gs, struct span name, bool is_held);
    void *owner;                 /* of on_change */
    struct roster_keeper keeper; /* of every group's members */
    struct map *by_name;         /* struct group, in the order they came to exist */
    struct keyed *disbanded;     /* struct group */
    struct keyed *crowds;        /* struct crowd, by connection id */
    struct pool *pool;           /* of memberships */
    uint32_t last_serial;
};

enum { GROUPS_RING_MAX = 4 };

void groups_init(struct groups *gs, enum member_kind kind);
void groups_fini(struct groups *gs);
size_t groups_len(const struct groups *gs);

struct group *groups_find(const struct groups *gs, struct span name); /* NULL: no such group */
/* *pos starts at 0; groups in their order; NULL at the end. Groups may come during a walk only
 * while the list is held. */
struct group *groups_next(const struct groups *gs, size_t *pos);
void groups_hold(struct groups *gs); /* counted */
void groups_let_go(struct groups *gs);

/* The name has 1 to NAME_MAX_BYTES bytes. Joining twice does nothing. */
void groups_join(struct groups *gs, struct client *c, struct span name);
/* Leaving a group one is not in does nothing. */
void groups_leave(struct groups *gs, struct client *c, struct span name);
void groups_leave_all(struct groups *gs, struct client *c);
/* Takes the group from the list and from what its members are in: from now on there is none of that
 * name. The members leave one by one, by groups_expel(). */
void groups_disband(struct groups *gs, struct group *group);
void groups_expel(struct groups *gs, struct group *group, struct client *c); /* who is in it */

/* For walks that rest: the group stays, and so do the positions of its members. Counted. */
void group_hold(struct group *group);
void group_let_go(struct groups *gs, struct group *group); /* it may be gone then */

/* The client's memberships in joining order: NULL begins and ends the walk. */
const struct membership *groups_of(const struct groups *gs, const struct client *c,
                                   const struct membership *after);
/* Groups that the client is in, those included that are being disbanded. O(1). */
size_t groups_of_n(const struct groups *gs, const struct client *c);
bool groups_has(const struct groups *gs, const struct client *c, struct span name);

static inline struct span group_name(const struct group *g)
{
    return span_of(g->name, g->name_len);
}

#endif
