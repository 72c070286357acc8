/* The calls of the HTTP API: a table of names, methods, arguments and functions. */
#ifndef WEB_API_OPS_H
#define WEB_API_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gw/gateway.h>
#include <gw/json.h>

#include "base/span.h"
#include "web/api_args.h"
#include "web/api_fault.h"
#include "web/api_key.h"

/* One call that runs, on a coroutine. */
struct api_run {
    struct gw *gw;
    const struct api_key *key;
    const struct api_args *args;
    struct gw_json *out;      /* an object, filled by the call */
    struct gw_json *failures; /* a list: gateways that did not do their share */
    struct api_fault fault;   /* set when nothing was done */
};

struct api_op {
    const char *name; /* in the path, and in the `calls` of a key */
    bool is_asking;   /* GET with a query; else POST with a body */
    struct api_shape shape;
    /* What rules of single fields cannot tell; NULL: nothing. 0 or GW_EPROTO with the fault. */
    int (*judge)(const struct api_args *args, struct api_fault *fault);
    void (*run)(struct api_run *run);
};

enum { API_OPS_N = 14 };
extern const struct api_op api_ops[API_OPS_N];

const struct api_op *api_op_find(struct span name); /* NULL: no such call */
unsigned api_op_pos(const struct api_op *op);
/* The calls that a word in `calls` stands for, as bits: a name, "read" or "*". */
bool api_ops_named(struct span word, uint32_t *calls);

/* Reads the arguments, asks the key, runs. Returns the status, and what to answer in *out, owned by
 * the caller. */
int api_op_run(const struct api_op *op, const struct api_key *key, struct gw *gw,
               const struct api_limits *limits, const struct gw_json *in,
               struct gw_json **out) NODISCARD;

#endif
