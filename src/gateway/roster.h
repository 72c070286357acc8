/* An ordered list of clients that is walked linearly and left in constant time. */
#ifndef GATEWAY_ROSTER_H
#define GATEWAY_ROSTER_H

#include <stddef.h>
#include <stdint.h>

struct client;

/* A dense array in the order of joining, because recorded replies promise that order
 * (vectors/README.md). Who leaves becomes a hole; when more than half are holes the array closes
 * up, so that leaving costs O(1) on average and a walk at most twice the members:
 *
 *     slots  [a][b][ ][d][ ][f]     len 6, live_n 4
 *
 * Every member remembers its position in a number of its own, which the roster keeps right.
 * Zero-initialised is empty. While it is held (gateway/tour.h) holes stay, so that no position
 * changes; else nobody may leave during a walk. */
struct roster_slot {
    struct client *client; /* NULL: a hole */
    uint32_t *pos;         /* where the member remembers its position */
};

struct roster {
    struct roster_slot *slots;
    uint32_t len;
    uint32_t cap;
    uint32_t live_n;
    uint32_t holds_n;
};

void roster_fini(struct roster *r);
/* Borrows both until roster_remove() or roster_fini(). */
void roster_add(struct roster *r, struct client *client, uint32_t *pos);
void roster_remove(struct roster *r, uint32_t pos);
void roster_hold(struct roster *r); /* counted */
void roster_let_go(struct roster *r);

/* The next member at or behind *pos, which starts at 0; NULL at the end. */
static inline struct client *roster_next(const struct roster *r, uint32_t *pos)
{
    while (*pos < r->len) {
        struct client *client = r->slots[(*pos)++].client;
        if (client)
            return client;
    }
    return NULL;
}

#endif
