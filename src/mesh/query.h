/* A callback that waits for the answers of several gateways, with one deadline for all of them. */
#ifndef MESH_QUERY_H
#define MESH_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/span.h"
#include "client/fanout.h"
#include "net/fibers.h"
#include "net/loop.h"

enum { QUERY_TIMEOUT_MS = 5000 }; /* as the original waits for an answer */

/* On the stack of the callback that waits. */
struct query {
    struct loop *loop;
    struct fibers *fibers;
    struct co *co; /* NULL while it does not wait yet, or no longer */
    struct list slots;
    struct timer deadline;
};

/* A place in the line of answers that a connection owes. Answers come in the order of the requests,
 * so a slot stays in line when its query has given up: then its answer is dropped. */
struct query_slot {
    struct list in_line;  /* of the connection */
    struct list in_query; /* of the query, alone when it gave up */
    struct query *query;  /* NULL: nobody waits any more */
    bool is_too_big;      /* parts that came were beyond the limit and are dropped */
    struct fanout_target *target;
    void (*on_late)(struct query_slot *slot, void *owner); /* NULL, or told at the deadline */
    void *owner;
};

void query_init(struct query *q, struct loop *l, struct fibers *f);
/* Adds a place at the end of a connection's line. */
struct query_slot *query_expect(struct query *q, struct fanout_target *target, struct list *line);
/* Waits until every slot was answered or failed. */
void query_wait(struct query *q);

/* A part of the first slot's answer; query_answer() brings the last one. */
void query_part(struct list *line, struct span value);
/* Each takes the first slot out of its line, frees it, and lets the callback go on when it was the
 * last that it waited for. The line must not be empty. */
void query_answer(struct list *line, struct span value);
void query_fail(struct list *line, int rc);

#endif
