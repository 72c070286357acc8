/* Asks a registry where the gateways are, as GatewayClient does: connect, one line each way, close.
 */
#ifndef CLIENT_LOOKUP_H
#define CLIENT_LOOKUP_H

#include <stdint.h>

#include "base/compiler.h"
#include "client/addr_book.h"

struct peer_tls;

/* Replaces what is in the book. 0, GW_EAUTH (it closed without an answer), GW_EPROTO, GW_ETIMEOUT
 * or -errno; then the book is as it was. tls: NULL for plain.
 * vectors/gateway-client.json, register_exchange. */
int lookup_gateways(const char *registry, const char *secret, const struct peer_tls *tls,
                    uint64_t deadline_ms, struct addr_book *book) NODISCARD;

#endif
