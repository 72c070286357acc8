/* Brings one command to the gateway of a client or to all gateways, with a receipt when asked for.
 */
#ifndef CLIENT_DELIVER_H
#define CLIENT_DELIVER_H

#include <stdbool.h>

#include <gw/gateway.h>

#include "base/compiler.h"
#include "client/addr_book.h"
#include "client/reach.h"
#include "proto/wire.h"

/* Writes the part of the command that differs between gateways into gw->ext; with nothing to say to
 * a gateway it returns false. */
typedef bool deliver_fit_fn(struct gw *gw, struct gateway_at at, const void *ctx);

struct delivery {
    struct wire_packet packet; /* its ext is replaced by gw->ext where `fit` is set */
    deliver_fit_fn *fit;       /* NULL: the same for every gateway */
    const void *ctx;
    const struct gw_send *how; /* NULL: plain, without receipt */
    const struct reach *reach; /* NULL: everybody */
    bool is_for_one;           /* of deliver_to_client() */
};

/* 0, GW_EPARTIAL or an error. Without a receipt neither allocates nor, in a worker, waits. */
int deliver_to_client(struct gw *gw, const char *client_id, struct delivery *d) NODISCARD;
int deliver_to_all(struct gw *gw, struct delivery *d) NODISCARD;

#endif
