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
#include "proto/ws_deflate.h"

enum ws_opcode { /* RFC 6455 §5.2 */
                 WS_CONTINUATION = 0,
                 WS_TEXT = 1,
                 WS_BINARY = 2,
                 WS_CLOSE = 8,
                 WS_PING = 9,
                 WS_PONG = 10,
};

/* Bytes of a masking key; of the longest head with one, and without. */
enum { WS_KEY = 4, WS_HEAD_MAX = 14, WS_SERVER_HEAD_MAX = 10 };
enum { WS_RSV1 = 0x40 }; /* in the first byte: the message is compressed (RFC 7692 §6) */

/* A frame as it comes from a client. */
struct ws_head {
    uint8_t opcode;
    bool is_final;
    bool is_deflated; /* RSV1 */
    uint64_t payload_len;
    uint8_t key[WS_KEY];
};

/* What a frame may be where it stands. */
struct ws_context {
    bool is_message_open; /* a fragment came before */
    bool may_deflate;     /* permessage-deflate was agreed on */
};

/* Reads the head at the front. Returns its length as soon as that and payload_len can be told (the
 * key is read when len covers it), 0 before. *wrong becomes what breaks §5 at the first byte that
 * does so, or NULL. */
size_t ws_read_head(struct ws_head *h, const uint8_t *at, size_t len, struct ws_context in,
                    const char **wrong) NODISCARD;
bool ws_is_control(uint8_t opcode);

/* Writes the head of a whole frame from a server: without a mask, its length in the shortest form.
 * Returns the bytes written, WS_HEAD_MAX at most. */
size_t ws_put_head(uint8_t *to, enum ws_opcode opcode, size_t payload_len);
/* Writes a close frame. A code that cannot be sent (1005 for one) makes one without code; a reason
 * that is too long is cut between two characters. Returns the bytes written, CODEC_CLOSE_MAX at
 * most. */
size_t ws_put_close(uint8_t *to, uint16_t code, struct span reason);

/* XORs the bytes in place (RFC 6455 §5.3) and turns the key, so that the next call goes on where
 * this one ended, whatever the length was. Masking twice with the same key gives the original.
 * Returns whether what came out is ASCII, whose UTF-8 nobody has to check then. */
bool ws_mask(uint8_t *at, size_t len, uint8_t key[WS_KEY]);

/* Whether an endpoint may put the code into a close frame (RFC 6455 §7.4 and the IANA registry). */
bool ws_is_close_code(uint16_t code);

/* A key as text, and its Sec-WebSocket-Accept (RFC 6455 §4.2.2 item 5.4). */
enum { WS_KEY_TEXT = 24, WS_ACCEPT_TEXT = 28 };
void ws_accept_of(const uint8_t key[WS_KEY_TEXT], char out[WS_ACCEPT_TEXT + 1]);

/* Judges a request head (RFC 6455 §4.2.1) and appends the answer to reply: 101, or an error page
 * with status 400 or 426. deflate may be NULL: no extension is agreed on. Returns 0 or GW_EPROTO.
 */
int ws_answer_handshake(const struct http_request *r, const struct ws_deflate *deflate,
                        struct ws_deflate_terms *terms, struct buf *reply) NODISCARD;

#endif
