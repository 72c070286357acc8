/* An ordered list of clients that is walked linearly and left in constant time. */
#ifndef GATEWAY_ROSTER_H
#define GATEWAY_ROSTER_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct client;

/* A dense array in the order of joining, because recorded replies promise that order
 * (vectors/README.md). Who leaves becomes a hole; when more than half are holes the array closes
 * up, so that leaving costs O(1) on average and a walk at most twice the members:
 *
 *     slots  [a][b][ ][d][ ][f]     len 6, live_n 4
 *
 * Every member remembers its position in a number of its own. Where that is the roster asks only
 * when it closes up, once per member that left at most; a walk then touches eight bytes per member.
 * A roster of one, as of most uids, needs no array. Zero-initialised is empty. While it is held
 * (gateway/tour.h) holes stay, so that no position changes; else nobody may leave during a walk. */
struct roster {
    union {
        struct client *only;   /* while cap is 0 */
        struct client **slots; /* NULL in them: a hole */
    };
    uint32_t len;
    uint32_t cap;
    uint32_t live_n;
    uint32_t holds_n;
};

/* Where that member remembers its position. */
struct roster_keeper {
    uint32_t *(*pos_of)(const struct roster_keeper *k, const struct roster *r,
                        struct client *member);
};

void roster_fini(struct roster *r);
/* Borrows the client until roster_remove() or roster_fini(). Returns its position. */
uint32_t roster_add(struct roster *r, struct client *client) NODISCARD;
void roster_remove(struct roster *r, uint32_t pos, const struct roster_keeper *k);
void roster_hold(struct roster *r); /* counted */
void roster_let_go(struct roster *r, const struct roster_keeper *k);

static inline struct client *const *roster_slots(const struct roster *r)
{
    return r->cap > 0 ? r->slots : &r->only;
}

/* The next member at or behind *pos, which starts at 0; NULL at the end. */
static inline struct client *roster_next(const struct roster *r, uint32_t *pos)
{
    while (*pos < r->len) {
        struct client *client = roster_slots(r)[(*pos)++];
        if (client)
            return client;
    }
    return NULL;
}

#endif
