/* The timer wheel of a loop: hierarchical, 1 ms ticks, O(1) start and stop. */
#include "net/timer.h"

#include <string.h>

void wheel_init(struct wheel *w, uint64_t now_ms)
{
    memset(w, 0, sizeof *w);
    w->now_ms = now_ms;
}

static void push(struct timer **head, struct timer *t)
{
    t->next = *head;
    if (t->next)
        t->next->link = &t->next;
    t->link = head;
    *head = t;
}

static void insert(struct wheel *w, struct timer *t)
{
    if (t->due_ms <= w->now_ms) {
        push(&w->overdue, t);
        return;
    }
    unsigned top_bit = 63U - (unsigned)__builtin_clzll(t->due_ms ^ w->now_ms);
    unsigned level = top_bit / WHEEL_BITS;
    unsigned slot = (t->due_ms >> (level * WHEEL_BITS)) & (WHEEL_SLOTS - 1);
    push(&w->slots[level][slot], t);
    w->used[level] |= UINT64_C(1) << slot;
}

/* A list that became empty may be a slot: then its bit must go. Lists are told apart by the address
 * of their head. */
static void note_empty(struct wheel *w, struct timer **head)
{
    uintptr_t first = (uintptr_t)&w->slots[0][0];
    uintptr_t pos = ((uintptr_t)head - first) / sizeof(struct timer *);
    if ((uintptr_t)head >= first && pos < (size_t)WHEEL_LEVELS * WHEEL_SLOTS)
        w->used[pos / WHEEL_SLOTS] &= ~(UINT64_C(1) << pos % WHEEL_SLOTS);
}

static void unlink_timer(struct wheel *w, struct timer *t)
{
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    else
        note_empty(w, t->link);
    t->next = NULL;
    t->link = NULL;
}

void wheel_start(struct wheel *w, struct timer *t, uint64_t due_ms)
{
    wheel_stop(w, t);
    t->due_ms = due_ms ? due_ms : 1; /* 0 says: not running */
    insert(w, t);
    w->timers_n++;
}

void wheel_stop(struct wheel *w, struct timer *t)
{
    if (!timer_is_running(t))
        return;
    unlink_timer(w, t);
    t->due_ms = 0;
    w->timers_n--;
}

/* Takes the whole list and returns it oldest first. */
static struct timer *take_reversed(struct timer **head)
{
    struct timer *reversed = NULL;
    struct timer *t = *head;
    *head = NULL;
    while (t) {
        struct timer *next = t->next;
        t->next = reversed;
        reversed = t;
        t = next;
    }
    return reversed;
}

static struct timer *take_slot(struct wheel *w, unsigned level, unsigned slot)
{
    w->used[level] &= ~(UINT64_C(1) << slot);
    return take_reversed(&w->slots[level][slot]);
}

/* Puts a chain behind *tail and returns the new tail. */
static struct timer **append(struct timer **tail, struct timer *t)
{
    *tail = t;
    for (; t; t = t->next) {
        t->link = tail;
        tail = &t->next;
    }
    return tail;
}

/* Spreads the slots that begin at now_ms over the levels below them, the coarsest first. Timers due
 * at this very millisecond are appended to the ready ones. */
static struct timer **turn_to(struct wheel *w, uint64_t now_ms, struct timer **tail)
{
    w->now_ms = now_ms;
    for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--) {
        uint64_t begins = UINT64_C(1) << (level * WHEEL_BITS);
        if (now_ms & (begins - 1))
            continue;
        unsigned slot = (now_ms >> (level * WHEEL_BITS)) & (WHEEL_SLOTS - 1);
        struct timer *t = take_slot(w, level, slot);
        while (t) {
            struct timer *next = t->next;
            insert(w, t);
            t = next;
        }
    }
    tail = append(tail, take_reversed(&w->overdue));
    return append(tail, take_slot(w, 0, now_ms & (WHEEL_SLOTS - 1)));
}

uint64_t wheel_next_ms(const struct wheel *w)
{
    if (w->overdue)
        return w->now_ms;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned shift = level * WHEEL_BITS;
        unsigned digit = (w->now_ms >> shift) & (WHEEL_SLOTS - 1);
        uint64_t later = w->used[level] & ~(((UINT64_C(1) << digit) << 1) - 1);
        if (!later)
            continue;
        /* All of this level lies before anything of the levels above: it shares their digits. */
        uint64_t above =
            shift + WHEEL_BITS < 64 ? w->now_ms >> (shift + WHEEL_BITS) << (shift + WHEEL_BITS) : 0;
        return above | (uint64_t)__builtin_ctzll(later) << shift;
    }
    return UINT64_MAX;
}

void wheel_fire(struct wheel *w, uint64_t now_ms)
{
    struct timer **tail = append(&w->ready, take_reversed(&w->overdue));
    for (uint64_t next = wheel_next_ms(w); next <= now_ms && next != UINT64_MAX;
         next = wheel_next_ms(w))
        tail = turn_to(w, next, tail);
    if (now_ms > w->now_ms)
        w->now_ms = now_ms;
    while (w->ready) {
        struct timer *t = w->ready;
        wheel_stop(w, t);
        t->fire(t);
    }
}
