/* A walk over clients that may rest: others join, leave and close meanwhile. */
#ifndef GATEWAY_TOUR_H
#define GATEWAY_TOUR_H

#include <stddef.h>
#include <stdint.h>

struct client;
struct group;
struct groups;
struct roster;

/* Visits who was there when it began and still is, in the order of joining, each once. Until it
 * ends, the roster keeps the holes of those who leave, so tours are short: they wait for nobody
 * but the loop. Zero-initialised has nobody to visit. */
struct tour {
    struct roster *members;
    struct groups *groups; /* whose group it is; NULL: of all clients */
    struct group *group;
    uint32_t pos;
    uint32_t end; /* who joined later stands behind it */
};

void tour_begin(struct tour *t, struct roster *members);                       /* of all clients */
void tour_begin_group(struct tour *t, struct groups *gs, struct group *group); /* NULL: nobody */
struct client *tour_next(struct tour *t);                                      /* NULL at the end */
void tour_end(struct tour *t);                                                 /* twice is fine */

#endif
