/* The connections of an outside program to its gateways: one each, kept open between calls. */
#ifndef CLIENT_LINE_POOL_H
#define CLIENT_LINE_POOL_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/vec.h"
#include "client/addr_book.h"
#include "client/line.h"
#include "proto/wire.h"

/* Zero-initialised is empty. */
struct line_pool {
    struct vec lines;           /* struct line * */
    const struct peer_tls *tls; /* of the lines; NULL: plain */
};

void line_pool_fini(struct line_pool *p);
/* The line of that gateway, made when there is none. */
struct line *line_pool_get(struct line_pool *p, struct gateway_at at) NODISCARD;
/* Closes the lines of gateways that are no longer in the book. Not during a call. */
void line_pool_keep(struct line_pool *p, const struct addr_book *book);

/* Puts the packet on the gateway's line, as part of the call. With a secret it is shown before
 * every command, on a connection in use too, as the original does. Of our extensions the line
 * carries what was agreed: else WIRE_BINARY is left out, and CMD_RECEIPT fails with GW_ECLOSED.
 * A gateway that missed a deadline rests for a while and fails at once with GW_ETIMEOUT.
 * 0, or the line's error. */
int line_pool_put(struct line_pool *p, struct gateway_at at, const char *secret,
                  const struct wire_packet *packet, enum line_answer answer) NODISCARD;
/* Offers our extensions on every line of the book that did not yet, and waits for the answers. */
void line_pool_offer(struct line_pool *p, const struct addr_book *book, const char *secret,
                     uint64_t deadline_ms, uint64_t rest_ms);
/* Runs what was put. Lines that are late rest for rest_ms. */
void line_pool_run(struct line_pool *p, uint64_t deadline_ms, uint64_t rest_ms);

#endif
