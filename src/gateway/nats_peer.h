/* Whoever sends from other hosts, over NATS: one more peer of the inner port. */
#ifndef GATEWAY_NATS_PEER_H
#define GATEWAY_NATS_PEER_H

#include "base/compiler.h"

struct gateway;
struct nats_peer;
struct role_status;

/* Announces the gateway and subscribes to what it holds, from now on, when the config has
 * [cluster]; g->nats_peer is NULL without. 0 or -errno, logged. */
int nats_peer_start(struct gateway *g) NODISCARD;
/* Says goodbye to the cluster and takes nothing more. NULL and twice are fine. */
void nats_peer_stop(struct nats_peer *n);
void nats_peer_status(struct nats_peer *n, struct role_status *out); /* NULL: nothing */
void nats_peer_free(struct nats_peer *n); /* once no connection is left */

#endif
