/* The clients of one gateway process: what is kept per connection, and the table by id. */
#ifndef GATEWAY_CLIENTS_H
#define GATEWAY_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"
#include "gateway/roster.h"

struct chan;
struct keyed;
struct membership;
struct pool;
struct worker;

enum member_kind { MEMBER_GROUP, MEMBER_UID, MEMBER_KINDS };

/* The session as workers wrote it: serialized PHP, opaque here. */
struct session {
    uint32_t len;
    uint8_t at[];
};

/* Kept small: a gateway holds a million of them. What only some clients have hangs on pointers. */
struct client {
    struct chan *chan;                            /* its kind tells the front */
    struct worker *worker;                        /* bound to; NULL before the first event */
    struct membership *memberships[MEMBER_KINDS]; /* first of a ring each, in joining order */
    struct session *session;                      /* NULL: empty */
    uint32_t id;                                  /* connection_id */
    uint32_t pos;                                 /* in clients.all */
    uint32_t beat_pos;                            /* in its bucket of heartbeat */
    int32_t silent_n;    /* heartbeat ticks since the last message, from -1 */
    uint32_t full_at;    /* its token bucket for messages: see rate.h */
    bool had_groups : 1; /* groups reads as an array, not as null, once one was joined */
    bool is_paused : 1;  /* not read from, because its worker's queue is full */
    bool is_full : 1;    /* more waits for it than it may: see slow.h */
    bool is_delayed : 1; /* not read from, because it has no token */
    bool is_marked : 1;  /* scratch of one command: left out */
};

_Static_assert(sizeof(struct client) == 64, "an idle client costs little: one cache line");

struct clients {
    struct keyed *by_id;
    struct roster all; /* in connecting order; its keeper is clients_keeper */
    struct pool *pool;
    uint32_t last_id;
};

extern const struct roster_keeper clients_keeper;

void clients_init(struct clients *t);
void clients_fini(struct clients *t); /* frees what is left in it */
/* A client with the next free id: from 1, 32 bit, wrapping to 1, ids in use are skipped. */
struct client *clients_add(struct clients *t) NODISCARD;
void clients_remove(struct clients *t, struct client *c);          /* frees c and its session */
struct client *clients_find(const struct clients *t, uint32_t id); /* NULL: not here */
uint32_t clients_len(const struct clients *t);

struct span client_session(const struct client *c);
/* Copies the bytes; an empty session holds no memory. 0 or -ENOMEM (the old session stays). */
int client_set_session(struct client *c, struct span bytes) NODISCARD;

#endif
