/* The WebSocket handshake as a module sees it: the arrays of CMD_ON_WEBSOCKET_CONNECT, by name. */
#ifndef WORKER_REQUEST_H
#define WORKER_REQUEST_H

#include <gw/module.h>

#include "base/compiler.h"
#include "base/span.h"

/* Takes the serialized {get, server, cookie}; what is not that reads as an empty request. */
struct gw_request *request_new(struct span serialized) NODISCARD;
void request_free(struct gw_request *r);
const char *request_subprotocols(const struct gw_request *r); /* what the client has asked for */
void request_set_subprotocol(struct gw_request *r, const char *name); /* agreed on; borrowed */

#endif
