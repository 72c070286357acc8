/* Whether a WebSocket client may come in, and what its handshake is answered. */
#ifndef GATEWAY_HANDSHAKE_H
#define GATEWAY_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "proto/http.h"

struct client;
struct gateway;
struct wire_packet;

/* Inside on_open: refuses, lets in, or asks the client's worker, which holds the answer. `from` is
 * the client's address as text. */
void handshake_begin(struct gateway *g, struct client *c, const struct http_request *r,
                     const char *from);
/* A worker's word about it (CMD_JUDGE). A client that has not waited for it is left alone. */
void handshake_judged(struct gateway *g, struct client *c, struct span verdict);
/* The event would go to a worker that does not judge. true: the client is let in, the event becomes
 * CMD_ON_WEBSOCKET_CONNECT; false: it is refused (auth = worker), the event is nobody's. */
bool handshake_pass(struct gateway *g, uint32_t connection_id);

#endif
