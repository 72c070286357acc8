/* This process's connection to NATS as the loop sees it: nothing blocks, everything is bounded. */
#ifndef CLUSTER_BUS_H
#define CLUSTER_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"
#include "cluster/nats.h"
#include "net/loop.h"

struct bus;
struct role_status;

/* On the loop's thread. */
struct bus_events {
    /* is_fresh: NATS knows none of our subscriptions. */
    void (*on_up)(void *owner, bool is_fresh);
    void (*on_down)(void *owner);
    /* Borrowed. reply: a subject as a C string, "" for none. */
    void (*on_message)(void *owner, const char *reply, struct span data);
    void (*on_room)(void *owner); /* bus_is_full() was true and is not any more; may be NULL */
};

/* Connects, and stays connected, on a thread of its own; conf and events are borrowed for as long.
 * conf->buffer_bytes limits what waits in either direction. NULL: errno. */
struct bus *bus_open(struct loop *loop, const struct nats_conf *conf,
                     const struct bus_events *events, void *owner) NODISCARD;
/* What was published before reaches the server first, if it answers within half a second: the only
 * call that waits, for the end of a process. Nothing is called back any more. NULL is fine. */
void bus_close(struct bus *b);

/* Copies. While NATS is away messages wait. 0, GW_EFULL (counted and logged), or GW_ETOOBIG beyond
 * what the server takes (max_payload in its config, logged). */
int bus_publish(struct bus *b, const char *subject, const char *reply, struct span data) NODISCARD;
/* To be called after on_up() only; again after each one that is fresh. */
void bus_subscribe(struct bus *b, const char *subject);
void bus_unsubscribe(struct bus *b, const char *subject);

bool bus_is_up(const struct bus *b);
/* Connected, and the server takes less than is published: slow the source down. */
bool bus_is_full(struct bus *b);
/* Everything published was given to libnats, or waits for a server. */
bool bus_is_flushed(struct bus *b);
/* Stops and restarts on_message(); what comes meanwhile waits within the limit. */
void bus_pause(struct bus *b);
void bus_resume(struct bus *b);
/* Fills the nats_… numbers. */
void bus_status(struct bus *b, struct role_status *out);

#endif
