/* The timer wheel of a loop: hierarchical, 1 ms ticks, O(1) start and stop. */
#ifndef NET_TIMER_H
#define NET_TIMER_H

#include <stddef.h>
#include <stdint.h>

#include "net/loop.h"

/* Each level has 64 slots and is 64 times coarser than the one below; 11 levels cover 64 bits. */
enum { WHEEL_BITS = 6, WHEEL_SLOTS = 1 << WHEEL_BITS, WHEEL_LEVELS = 11 };

/* A timer waits in the level of the highest 6-bit digit in which its due time differs from now_ms,
 * in the slot of that digit. When now_ms reaches the beginning of such a slot, its timers move to
 * lower levels. Lists are newest first; they are turned round when they fire, so that timers of the
 * same millisecond fire in the order in which they were started. */
struct wheel {
    uint64_t now_ms; /* how far the wheel has been turned */
    size_t timers_n;
    struct timer *overdue;       /* started with a due time that is now or past */
    struct timer *ready;         /* being fired, oldest first */
    uint64_t used[WHEEL_LEVELS]; /* bit s: slots[level][s] is not empty */
    struct timer *slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, uint64_t now_ms);
void wheel_start(struct wheel *w, struct timer *t, uint64_t due_ms);
void wheel_stop(struct wheel *w, struct timer *t);
/* Turns the wheel to now_ms and fires what was due; timers started meanwhile wait for the next
 * call. */
void wheel_fire(struct wheel *w, uint64_t now_ms);
/* When to call wheel_fire() next: no later than the next due time, sometimes earlier (to move
 * timers between levels); UINT64_MAX without timers. */
uint64_t wheel_next_ms(const struct wheel *w);

#endif
