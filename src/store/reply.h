/* Answers of Redis as trees of our own, which outlive the reader of hiredis. */
#ifndef STORE_REPLY_H
#define STORE_REPLY_H

#include <gw/store.h>

#include "base/compiler.h"
#include "base/span.h"

struct redisReply;

/* A copy, freed with gw_reply_free(); NULL without memory or nested deeper than REPLY_DEPTH_MAX. */
enum { REPLY_DEPTH_MAX = 16 };
struct gw_reply *reply_copy(const struct redisReply *r) NODISCARD;

/* Values for gw_values_free(), from records as part_put() writes them. */
struct gw_values *reply_values(struct span records) NODISCARD;

#endif
