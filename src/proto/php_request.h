/* PHP's view of a WebSocket handshake: the get, server and cookie arrays of
 * CMD_ON_WEBSOCKET_CONNECT. */
#ifndef PROTO_PHP_REQUEST_H
#define PROTO_PHP_REQUEST_H

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "proto/http.h"

struct php_doc;
struct php_value;

/* Appends the serialized array, as vectors/client-protocols.json (websocket_handshake) and
 * worker-gateway.json record it. A subprotocol that was agreed on becomes server's SUBPROTOCOL. */
void php_put_request(struct buf *out, const struct http_request *r, const char *remote_addr,
                     uint16_t remote_port, uint16_t server_port, struct span subprotocol);

/* parse_str(): vectors/small-functions.json. */
struct php_value *php_parse_query(struct php_doc *d, struct span query);

#endif
