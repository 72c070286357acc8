/* An ordered list of clients that is walked linearly and left in constant time. */
#include "gateway/roster.h"

#include "base/mem.h"

/* Below this an array is not worth closing up. */
enum { ROSTER_SMALL = 16, ROSTER_FIRST_CAP = 2 };

void roster_fini(struct roster *r)
{
    if (r->cap > 0)
        mem_free(r->slots);
    *r = (struct roster){0};
}

static struct client **slots_of(struct roster *r)
{
    return r->cap > 0 ? r->slots : &r->only;
}

static void resize(struct roster *r, uint32_t cap)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers. */
    r->slots = mem_realloc(r->cap > 0 ? r->slots : NULL, cap * sizeof(*r->slots));
    r->cap = cap;
}

static void make_room(struct roster *r)
{
    if (r->cap > 0 && r->len == r->cap) {
        resize(r, r->cap * 2);
    } else if (r->cap == 0 && r->len == 1) {
        struct client *only = r->only;
        resize(r, ROSTER_FIRST_CAP);
        r->slots[0] = only;
    }
}

uint32_t roster_add(struct roster *r, struct client *client)
{
    make_room(r);
    slots_of(r)[r->len] = client;
    r->live_n++;
    return r->len++;
}

/* Closes the holes and gives back memory that a shrunken roster no longer needs. */
static void close_up(struct roster *r, const struct roster_keeper *k)
{
    uint32_t to = 0;
    for (uint32_t from = 0; from < r->len; from++) {
        struct client *member = r->slots[from];
        if (!member)
            continue;
        *k->pos_of(k, r, member) = to;
        r->slots[to++] = member;
    }
    r->len = to;
    if (r->cap > ROSTER_SMALL && r->cap / 4 >= r->len)
        resize(r, r->cap / 2);
}

static void settle(struct roster *r, const struct roster_keeper *k)
{
    while (r->len > 0 && !slots_of(r)[r->len - 1])
        r->len--;
    if (r->len > ROSTER_SMALL && r->live_n < r->len / 2)
        close_up(r, k);
}

void roster_remove(struct roster *r, uint32_t pos, const struct roster_keeper *k)
{
    slots_of(r)[pos] = NULL;
    r->live_n--;
    if (r->holds_n == 0)
        settle(r, k);
}

void roster_hold(struct roster *r)
{
    r->holds_n++;
}

void roster_let_go(struct roster *r, const struct roster_keeper *k)
{
    if (--r->holds_n == 0)
        settle(r, k);
}
