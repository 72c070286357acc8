/* Clients that are not read from, because the queue that they feed is full. */
#ifndef GATEWAY_FEEDERS_H
#define GATEWAY_FEEDERS_H

#include <stddef.h>
#include <stdint.h>

struct client;
struct clients;

/* By id, so that a client may go meanwhile. Zero-initialised is empty. */
struct feeders {
    uint32_t *ids;
    size_t len;
    size_t cap;
};

void feeders_fini(struct feeders *f); /* resumes nobody */
/* Remembers a client that is paused already. */
void feeders_add(struct feeders *f, const struct client *c);
void feeders_pause(struct feeders *f, struct client *c); /* twice is fine */
void feeders_resume_all(struct feeders *f, const struct clients *clients);

#endif
