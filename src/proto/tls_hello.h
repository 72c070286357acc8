/* A TLS client at a port without TLS: how it is recognised, and what it is told. */
#ifndef PROTO_TLS_HELLO_H
#define PROTO_TLS_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* Whether bytes begin as a ClientHello's record does: no text protocol begins like that. */
bool tls_hello_is(struct span in);
/* By the first byte alone. */
bool tls_hello_may_begin(uint8_t first);
/* An alert in the client's own language, so that its user reads of TLS and not of garbage. */
struct span tls_hello_refusal(void);

#endif
