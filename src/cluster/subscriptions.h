/* Which groups and uids a gateway is subscribed to: those that it holds, with few changes. */
#ifndef CLUSTER_SUBSCRIPTIONS_H
#define CLUSTER_SUBSCRIPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/span.h"
#include "cluster/subject.h"
#include "net/loop.h"

struct map;

/* A name that was let go stays subscribed for that long: whoever comes back meanwhile costs
 * nothing. What is new is subscribed to at the end of the turn. */
enum { SUBSCRIPTIONS_LINGER_MS = 1000 };

struct subscriptions {
    struct loop *loop;
    const char *prefix; /* borrowed */
    struct map *wishes; /* by kind and name */
    struct list fresh;  /* held, not yet subscribed */
    struct list idle;   /* subscribed, not held; the oldest first */
    struct task flush;
    struct timer linger;
    bool is_paused;
    uint64_t subscribed_n; /* changes since the beginning */
    uint64_t unsubscribed_n;
    void (*on_change)(void *owner, const char *subject, bool is_wanted);
    void *owner;
};

/* Begins paused: on_change() is not called before subscriptions_resume(). */
void subscriptions_init(struct subscriptions *s, struct loop *loop, const char *prefix,
                        void (*on_change)(void *owner, const char *subject, bool is_wanted),
                        void *owner);
void subscriptions_fini(struct subscriptions *s);
/* The name got its first member, or lost its last. */
void subscriptions_hold(struct subscriptions *s, enum subject_kind kind, struct span name,
                        bool is_held);
/* While the connection is away nothing is asked of it. is_fresh: it is one that knows none of the
 * subscriptions. */
void subscriptions_pause(struct subscriptions *s);
void subscriptions_resume(struct subscriptions *s, bool is_fresh);

#endif
