/* The operations of a store as Redis commands. */
#ifndef STORE_REDIS_OPS_H
#define STORE_REDIS_OPS_H

#include "base/compiler.h"
#include "store/op.h"
#include "store/redis.h"

/* Suspends; errors as <gw/store.h> tells. */
int redis_ops_call(struct redis *r, const struct store_url *url, struct store_op *op) NODISCARD;

#endif
