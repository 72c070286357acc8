/* RFC 6455 in parts that can be tested alone: masking, close codes, the handshake. */
#ifndef PROTO_WS_H
#define PROTO_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"
#include "proto/http.h"

/* XORs the bytes in place (RFC 6455 §5.3) and turns the key, so that the next call goes on where
 * this one ended, whatever the length was. Masking twice with the same key gives the original. */
void ws_mask(uint8_t *at, size_t len, uint8_t key[4]);

/* Whether an endpoint may put the code into a close frame (RFC 6455 §7.4 and the IANA registry). */
bool ws_is_close_code(uint16_t code);

/* Judges a request head (RFC 6455 §4.2.1) and appends the answer to reply: 101, or an error page
 * with status 400 or 426. Returns 0 or GW_EPROTO. */
int ws_answer_handshake(const struct http_request *r, struct buf *reply) NODISCARD;

#endif
