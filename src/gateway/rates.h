/* How fast each client may send, and what happens to who is faster. */
#ifndef GATEWAY_RATES_H
#define GATEWAY_RATES_H

#include <stdbool.h>

#include "base/rate.h"
#include "gateway/feeders.h"
#include "net/loop.h"

struct client;
struct gateway;

/* The messages of all clients of a gateway. */
struct rates {
    struct rate messages;
    struct feeders delayed; /* not read from until they have a token */
    struct timer look;
};

void rates_init(struct gateway *g);
void rates_fini(struct gateway *g);
/* A message came. false: it is one too many, and the client is closing (on_rate = close). With
 * delay it may come, but the next one is not read before it may. */
bool rates_allow(struct gateway *g, struct client *c);

#endif
