/* The groups or uids that a command is about: gateways without a member of any need not get it. */
#ifndef CLIENT_REACH_H
#define CLIENT_REACH_H

#include <stdbool.h>
#include <stddef.h>

#include <gw/types.h>

#include "client/addr_book.h"
#include "proto/interest.h"

struct gw;

struct reach {
    enum interest_kind kind;
    const struct gw_bytes *names; /* borrowed */
    size_t n;
    bool wants_answer; /* an answer names those without members, too: one gateway is asked anyway */
};

/* False: that gateway has no member of any of the names. reach may be NULL: everybody. */
bool reach_may_be_at(struct gw *gw, const struct reach *reach, struct gateway_at at);

#endif
