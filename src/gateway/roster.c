/* An ordered list of clients that is walked linearly and left in constant time. */
#include "gateway/roster.h"

#include "base/mem.h"

/* Below this an array is not worth closing up. */
enum { ROSTER_SMALL = 16 };

void roster_fini(struct roster *r)
{
    mem_free(r->slots);
    *r = (struct roster){0};
}

static void resize(struct roster *r, uint32_t cap)
{
    r->slots = mem_realloc(r->slots, cap * sizeof(*r->slots));
    r->cap = cap;
}

void roster_add(struct roster *r, struct client *client, uint32_t *pos)
{
    if (r->len == r->cap)
        resize(r, r->cap ? r->cap * 2 : 1);
    *pos = r->len;
    r->slots[r->len++] = (struct roster_slot){.client = client, .pos = pos};
    r->live_n++;
}

/* Closes the holes and gives back memory that a shrunken roster no longer needs. */
static void close_up(struct roster *r)
{
    uint32_t to = 0;
    for (uint32_t from = 0; from < r->len; from++) {
        if (!r->slots[from].client)
            continue;
        *r->slots[from].pos = to;
        r->slots[to++] = r->slots[from];
    }
    r->len = to;
    if (r->cap > ROSTER_SMALL && r->cap / 4 >= r->len)
        resize(r, r->cap / 2);
}

static void settle(struct roster *r)
{
    while (r->len > 0 && !r->slots[r->len - 1].client)
        r->len--;
    if (r->len > ROSTER_SMALL && r->live_n < r->len / 2)
        close_up(r);
}

void roster_remove(struct roster *r, uint32_t pos)
{
    r->slots[pos] = (struct roster_slot){0};
    r->live_n--;
    if (r->holds_n == 0)
        settle(r);
}

void roster_hold(struct roster *r)
{
    r->holds_n++;
}

void roster_let_go(struct roster *r)
{
    if (--r->holds_n == 0)
        settle(r);
}
