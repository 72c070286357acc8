/* The client's side of RFC 6455 for the load generator. It shares no code with the server under
 * test. */
#ifndef BENCH_WS_CLIENT_H
#define BENCH_WS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/outbuf.h"

enum {
    WS_CONT = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

/* Appends the upgrade request. */
void ws_client_ask(struct outbuf *out, const char *path, const char *protocol, bool has_deflate);

/* Judges the answer at the front: its length, 0 when it is not complete, -1 when the server
 * refused. */
ssize_t ws_client_check(const char *at, size_t len);

/* Appends one masked frame. */
void ws_client_put(struct outbuf *out, uint8_t opcode, const void *payload, size_t len);

struct ws_client_frame {
    uint8_t opcode;
    bool is_final;
    bool is_compressed;
    uint8_t *payload;
    size_t len;
};

/* The frame at the front: its length, 0 when it is not complete, -1 when it is wrong (masked, or
 * reserved bits). */
static inline ssize_t ws_client_get(uint8_t *at, size_t len, struct ws_client_frame *out)
{
    if (len < 2)
        return 0;
    size_t head = 2;
    size_t payload_len = at[1];
    if (payload_len >= 126) {
        if (payload_len > 127)
            return -1;
        size_t bytes = payload_len == 126 ? 2 : 8;
        if (len < head + bytes)
            return 0;
        payload_len = 0;
        for (size_t i = 0; i < bytes; i++)
            payload_len = payload_len << 8 | at[head + i];
        head += bytes;
    }
    if ((at[0] & 0x30) || payload_len >> 32)
        return -1;
    if (len - head < payload_len)
        return 0;
    out->opcode = at[0] & 0x0f;
    out->is_final = at[0] & 0x80;
    out->is_compressed = at[0] & 0x40;
    out->payload = at + head;
    out->len = payload_len;
    return (ssize_t)(head + payload_len);
}

#endif
