/* What is asked of a store, and its answer: the same for every kind of store. */
#ifndef STORE_OP_H
#define STORE_OP_H

#include <stdbool.h>
#include <stdint.h>

#include <gw/store.h>

#include "base/buf.h"

enum store_verb { STORE_INCR, STORE_SET, STORE_GET, STORE_COUNT, STORE_APPEND, STORE_LAST };

struct store_op {
    enum store_verb verb;
    struct gw_bytes key;
    struct gw_bytes field; /* INCR, SET, GET */
    struct gw_bytes value; /* SET, APPEND */
    int64_t number;        /* INCR: by; APPEND: how many to keep; LAST: how many to give */

    /* The answer. */
    int64_t result;     /* INCR, COUNT */
    struct buf records; /* GET: one value; LAST: all; as part_put() writes them */
};

static inline bool op_is_writing(const struct store_op *op)
{
    return op->verb == STORE_INCR || op->verb == STORE_SET || op->verb == STORE_APPEND;
}

#endif
