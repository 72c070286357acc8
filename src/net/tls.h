/* TLS 1.2 and 1.3, as a connection's transport. */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "net/tls_context.h"
#include "net/transport.h"

extern const struct transport tls_transport;

/* The state of one connection for conn_new(), which takes it; keeps a reference to the context.
 * is_http: speaks HTTP inside, so "http/1.1" is agreed on (RFC 7301), and whoever sends HTTP
 * without TLS is told so in HTTP. NULL: no memory. */
void *tls_new(struct tls_context *ctx, bool is_http) NODISCARD;
/* The same for conn_dial_over(), with a context of tls_context_new_dialler(). host is what the
 * other side's certificate must be for: a name, or an address; is_insecure: any will do. */
void *tls_new_dialler(struct tls_context *ctx, const char *host, bool is_insecure) NODISCARD;
/* Whether the connection took up an earlier session. */
bool tls_is_resumed(const void *state);

#endif
