/* The names that this process has just put clients of other hosts into: their gateways may not have
 * subscribed to them yet. */
#ifndef MESH_RECENT_H
#define MESH_RECENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "client/addr_book.h"
#include "proto/interest.h"

/* Long enough for a join to arrive, and for the subscription to be known to all servers. */
enum { RECENT_MS = 2000, RECENT_MAX = 256 };

struct recent_entry {
    uint64_t name; /* a hash; two with the same one cost a message to a gateway too many */
    struct gateway_at at;
    uint64_t until_ms;
};

/* Zero-initialised is empty. The oldest entry is the one at `first`. */
struct recent {
    struct recent_entry entries[RECENT_MAX];
    size_t first;
    size_t n;
    uint64_t overflow_ms; /* until then there were more than could be kept */
};

void recent_add(struct recent *r, enum interest_kind kind, struct span name, struct gateway_at at,
                uint64_t now_ms);
/* *pos starts at 0. The next gateway that the name was put in at lately; false at the end. The same
 * one may come twice. */
bool recent_next(struct recent *r, size_t *pos, enum interest_kind kind, struct span name,
                 uint64_t now_ms, struct gateway_at *at);
/* Some of them are not known any more: any gateway may be one. */
bool recent_is_overflown(const struct recent *r, uint64_t now_ms);

#endif
