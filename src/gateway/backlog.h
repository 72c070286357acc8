/* Events that wait for a worker: whole packets in order, with the time of their arrival. */
#ifndef GATEWAY_BACKLOG_H
#define GATEWAY_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "proto/wire.h"

/* Zero-initialised is empty and holds no memory. Who adds looks at backlog_bytes() first and slows
 * the source down: an event is never refused here. */
struct backlog {
    struct buf bytes; /* per event: time (8 bytes, this machine's order), then the packet */
    size_t events_n;
};

void backlog_fini(struct backlog *b);
void backlog_add(struct backlog *b, uint64_t now_ms, const struct wire_packet *event);
/* The oldest event; it borrows the backlog's memory until the next add or drop. */
bool backlog_first(const struct backlog *b, struct wire_packet *event, uint64_t *at_ms) NODISCARD;
void backlog_drop_first(struct backlog *b);
/* Moves everything out: *b is empty afterwards, the result is the caller's to fini. */
struct backlog backlog_take(struct backlog *b);

static inline size_t backlog_bytes(const struct backlog *b)
{
    return b->bytes.len;
}

#endif
