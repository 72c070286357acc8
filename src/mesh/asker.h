/* The separate connection for queries to a gateway that is not ours: plain requests, answers in
 * order. */
#ifndef MESH_ASKER_H
#define MESH_ASKER_H

#include "base/compiler.h"
#include "client/addr_book.h"
#include "mesh/query.h"
#include "net/conn.h"
#include "proto/wire.h"

struct asker;
struct peer_tls;

/* Connects at the first query and closes when idle for 50 s, as the original keeps it
 * (GatewayWorker src/Lib/Gateway.php, $persistentConnection…). address is the text that `at` came
 * from; it, secret and tls are borrowed. */
struct asker *asker_new(struct conn_pool *conns, struct gateway_at at, const char *address,
                        const char *secret, const struct peer_tls *tls) NODISCARD;
void asker_free(struct asker *a); /* fails what waits */

/* Sends the request and adds the target to the query; a failure at once goes into target->rc. */
void asker_ask(struct asker *a, const struct wire_packet *p, struct query *q,
               struct fanout_target *target);

#endif
