/* The client's side of RFC 6455 for the load generator. */
#include "bench/ws_client.h"

#include <stdio.h>
#include <string.h>

/* The example of RFC 6455 §1.3: a fixed key has a fixed answer, so that checking costs nothing. */
static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char accept_of_key[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

void ws_client_ask(struct outbuf *out, const char *path, const char *protocol, bool has_deflate)
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: %s\r\n%s%s%s%s\r\n",
                     path, key, protocol ? "Sec-WebSocket-Protocol: " : "",
                     protocol ? protocol : "", protocol ? "\r\n" : "",
                     has_deflate ? "Sec-WebSocket-Extensions: permessage-deflate; "
                                   "client_no_context_takeover; server_no_context_takeover\r\n"
                                 : "");
    outbuf_put(out, text, (size_t)n);
}

ssize_t ws_client_check(const char *at, size_t len)
{
    const char *end = memmem(at, len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end + 4 - at);
    if (head < 12 || memcmp(at, "HTTP/1.1 101", 12) != 0)
        return -1;
    if (!memmem(at, head, accept_of_key, sizeof accept_of_key - 1))
        return -1;
    return (ssize_t)head;
}

/* Any key will do for a client that is no browser; a moving one keeps servers from guessing. */
static uint32_t next_key(void)
{
    static uint32_t state = 0x9e3779b9;
    state = state * 1664525 + 1013904223;
    return state;
}

void ws_client_put(struct outbuf *out, uint8_t opcode, const void *payload, size_t len)
{
    uint8_t *to = outbuf_reserve(out, 14 + len + 8);
    size_t head = 2;
    to[0] = 0x80 | opcode;
    if (len < 126) {
        to[1] = (uint8_t)(0x80 | len);
    } else {
        size_t bytes = len <= UINT16_MAX ? 2 : 8;
        to[1] = bytes == 2 ? 0x80 | 126 : 0x80 | 127;
        for (size_t i = 0; i < bytes; i++)
            to[2 + i] = (uint8_t)(len >> (8 * (bytes - 1 - i)));
        head += bytes;
    }
    uint32_t mask = next_key();
    memcpy(to + head, &mask, sizeof mask);
    head += sizeof mask;
    uint64_t wide = (uint64_t)mask << 32 | mask;
    memcpy(to + head, payload, len);
    for (size_t i = 0; i < len; i += 8) { /* may write up to 7 bytes beyond: reserved above */
        uint64_t word;
        memcpy(&word, to + head + i, 8);
        word ^= wide;
        memcpy(to + head + i, &word, 8);
    }
    out->len += head + len;
}
