/* The fallback for networks without WebSocket: events down, posted messages up. docs/fallback.md */
#ifndef PROTO_SSE_H
#define PROTO_SSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"

/* Appends "data: " lines: one for each line of the text, whose ends are CR, LF or CRLF. */
void sse_put_data(struct buf *out, struct span text);
/* Appends one server-sent event (HTML, §9.2): "id: N", the lines of the text, an empty line.
 * Binary is base64 in an event of type "binary". */
void sse_put_message(struct buf *out, uint64_t number, struct span payload, bool is_binary);
/* An event of another type, without a number; data has no line ends. */
void sse_put_event(struct buf *out, const char *type, struct span data);

struct sse_message {
    bool is_binary;
    struct span payload; /* in the body */
};

/* Cuts the next message off a POST's body: decimal length, "t" or "b", ":", so many bytes. 1, 0 at
 * the end, or GW_EPROTO. */
int sse_next_message(struct span *body, struct sse_message *out) NODISCARD;

#endif
