/* Long work of a call, in portions: whatever else its thread has to do gets its turn in between. */
#ifndef CLIENT_BREATH_H
#define CLIENT_BREATH_H

#include <stdint.h>

struct gw;

enum { BREATH_STEPS = 64, BREATH_MAX_US = 1000 };

/* Zero-initialised it never waits. */
struct breath {
    struct gw *gw; /* NULL: nobody else is on the thread */
    uint32_t steps_n;
    uint64_t since_us; /* of the first look at the clock since others had their turn */
};

/* Waits for the next turn of the loop when a portion of time is used up. */
void breath_look(struct breath *b);

/* To be called for every piece of the work; may wait. */
static inline void breath_step(struct breath *b)
{
    if (++b->steps_n % BREATH_STEPS == 0)
        breath_look(b);
}

#endif
