/* Leaves without haste: clients are told, a few at a time, to come back elsewhere. */
#ifndef GATEWAY_RETREAT_H
#define GATEWAY_RETREAT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"

struct gateway;

struct retreat {
    struct timer beat;
    uint64_t per_second;
    uint64_t credit_ms; /* time that has not been turned into goodbyes yet, times per_second */
    uint64_t begun_ms;
    bool is_on;
    bool is_shut; /* the listeners are */
};

/* Takes no new clients, is gone for the registries, closes per_second clients each second (0: as
 * many as it takes to be done in `seconds`), and drains when none is left. Twice is once. */
void retreat_begin(struct gateway *g, uint64_t per_second, uint64_t seconds);
void retreat_stop(struct gateway *g); /* twice is fine */

#endif
