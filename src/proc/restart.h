/* The rule of how long a crashed process waits before its successor is started. */
#ifndef PROC_RESTART_H
#define PROC_RESTART_H

#include <stdint.h>

enum {
    RESTART_FIRST_MS = 100,     /* the second restart in a row; the first comes at once */
    RESTART_HEALTHY_MS = 10000, /* a life as long as this starts the row anew */
};

struct restart {
    unsigned failures_n; /* in a row */
};

/* A process ended after life_ms; the delay until the next one: 0, 100, 200, 400 … max_ms. */
uint64_t restart_delay_ms(struct restart *r, uint64_t life_ms, uint64_t max_ms);

#endif
