/* The gateways that no link leads to: who they are, sending to them and asking them, over NATS. */
#ifndef MESH_BEYOND_H
#define MESH_BEYOND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "client/fanout.h"
#include "client/reach.h"
#include "mesh/gateways.h"
#include "mesh/query.h"
#include "net/fibers.h"
#include "proc/role.h"

struct beyond;

/* Joins the cluster of the config; NULL when it has none. gateways and fibers are borrowed. What
 * cannot be had now (threads, servers) is logged and tried again. */
struct beyond *beyond_new(const struct role_env *env, const struct gateways *gateways,
                          struct fibers *fibers) NODISCARD;
/* For the end of the process: at the end of the turn it waits until NATS has what was sent, for a
 * second at most, and frees b. NULL is fine. */
void beyond_end(struct beyond *b);

/* Those of the links first; behind them far_n that are beyond. Borrowed until a call that waits. */
const struct addr_book *beyond_book(struct beyond *b);
bool beyond_has(const struct beyond *b, struct gateway_at at);
/* It has heard who is there, or there is nobody to hear. */
bool beyond_is_settled(const struct beyond *b);

/* Queues a packet (copied) for one of them. 0, GW_EFULL or GW_ETOOBIG; nothing waits. */
int beyond_send(struct beyond *b, struct gateway_at to, const struct wire_packet *p) NODISCARD;
/* Queues it once, for all of them that the reach (NULL: everybody) concerns, but not for the
 * gateways of these clients. */
int beyond_publish(struct beyond *b, const struct reach *reach, const struct wire_packet *p,
                   const char *const *but_ids, size_t but_n) NODISCARD;
/* Asks those targets that are beyond, with f->ahead or their own in front; adds them to the query.
 */
void beyond_ask(struct beyond *b, const struct wire_packet *p, struct query *q, struct fanout *f);

void beyond_status(struct beyond *b, struct role_status *out);
/* On a coroutine: waits while NATS takes less than is sent. */
void beyond_make_room(struct beyond *b);
bool beyond_is_flushed(struct beyond *b);

#endif
