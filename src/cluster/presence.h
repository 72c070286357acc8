/* Which gateways are there in the whole cluster, by what they say of themselves on NATS. */
#ifndef CLUSTER_PRESENCE_H
#define CLUSTER_PRESENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "client/addr_book.h"

struct envelope;
struct idmap;

/* A gateway says that it is there every PRESENCE_BEAT_MS; one that is silent for three beats is
 * gone. */
enum { PRESENCE_BEAT_MS = 2000, PRESENCE_SILENT_MS = 6000 };

struct presence {
    struct idmap *members; /* by gateway_at_key() */
    struct addr_book book; /* of all members */
    /* The book has changed already. May be NULL. */
    void (*on_gone)(void *owner, struct gateway_at at);
    void *owner;
};

void presence_init(struct presence *p, void (*on_gone)(void *owner, struct gateway_at at),
                   void *owner);
void presence_fini(struct presence *p);
bool presence_has(const struct presence *p, struct gateway_at at);
/* An ENVELOPE_HERE or ENVELOPE_LEFT came. Who comes and goes is logged. */
void presence_hear(struct presence *p, const struct envelope *e, uint64_t now_ms);
/* To be called every second or so: those that are silent are gone. */
void presence_look(struct presence *p, uint64_t now_ms);
/* Nobody could be heard until now, so nobody is late. */
void presence_excuse(struct presence *p, uint64_t now_ms);

#endif
