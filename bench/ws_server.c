/* The server's side of RFC 6455 for the floor. */
#include "bench/ws_server.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum {
    KEY_LEN = 24, /* base64 of 16 bytes, RFC 6455 §4.1 */
    SHA1_LEN = 20,
    ACCEPT_LEN = 28,
    MESSAGE_MAX = 1 << 16, /* well below what the floor reads at once */
};

/* RFC 6455 §4.2.2 step 5.4: base64(SHA-1(key + GUID)). */
static void accept_of(const char *key, unsigned char accept[ACCEPT_LEN + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[KEY_LEN + sizeof guid - 1];
    memcpy(text, key, KEY_LEN);
    memcpy(text + KEY_LEN, guid, sizeof guid - 1);
    unsigned char digest[SHA1_LEN];
    static EVP_MD *sha1; /* looking it up each time costs more than the digest */
    static EVP_MD_CTX *ctx;
    if (!sha1) {
        sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
        ctx = EVP_MD_CTX_new();
    }
    EVP_DigestInit_ex(ctx, sha1, NULL);
    EVP_DigestUpdate(ctx, text, sizeof text);
    EVP_DigestFinal_ex(ctx, digest, NULL);
    EVP_EncodeBlock(accept, digest, SHA1_LEN);
}

ssize_t ws_server_answer(const char *at, size_t len, char answer[WS_SERVER_ANSWER_MAX],
                         size_t *answer_len)
{
    static const char name[] = "Sec-WebSocket-Key: ";
    const char *end = memmem(at, len, "\r\n\r\n", 4);
    if (!end)
        return 0;
    const char *key = memmem(at, (size_t)(end - at), name, sizeof name - 1);
    if (!key || end - key < (ptrdiff_t)(sizeof name - 1 + KEY_LEN))
        return -1;
    unsigned char accept[ACCEPT_LEN + 1];
    accept_of(key + sizeof name - 1, accept);
    *answer_len = (size_t)snprintf(answer, WS_SERVER_ANSWER_MAX,
                                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                                   accept);
    return end + 4 - at;
}

static void unmask(uint8_t *at, size_t len, const uint8_t key[4])
{
    uint64_t wide;
    uint8_t twice[8];
    memcpy(twice, key, 4);
    memcpy(twice + 4, key, 4);
    memcpy(&wide, twice, 8);
    size_t i = 0;
    for (; i + 8 <= len; i += 8) {
        uint64_t word;
        memcpy(&word, at + i, 8);
        word ^= wide;
        memcpy(at + i, &word, 8);
    }
    for (; i < len; i++)
        at[i] ^= key[i & 3];
}

ssize_t ws_server_decode(uint8_t *at, size_t len, struct ws_server_frame *out)
{
    if (len < 2)
        return 0;
    if (!(at[1] & 0x80))
        return -1;
    size_t head = 2;
    size_t payload_len = at[1] & 0x7f;
    if (payload_len >= 126) {
        size_t bytes = payload_len == 126 ? 2 : 8;
        if (len < head + bytes)
            return 0;
        payload_len = 0;
        for (size_t i = 0; i < bytes; i++)
            payload_len = payload_len << 8 | at[head + i];
        head += bytes;
    }
    if (payload_len > MESSAGE_MAX)
        return -1;
    if (len < head + 4 + payload_len)
        return 0;
    *out = (struct ws_server_frame){at + head + 4, payload_len, at[0] & 0x0f};
    unmask(out->payload, payload_len, at + head);
    return (ssize_t)(head + 4 + payload_len);
}

size_t ws_server_head(uint8_t *to, uint8_t opcode, size_t payload_len)
{
    to[0] = 0x80 | opcode;
    if (payload_len < 126) {
        to[1] = (uint8_t)payload_len;
        return 2;
    }
    size_t bytes = payload_len <= UINT16_MAX ? 2 : 8;
    to[1] = bytes == 2 ? 126 : 127;
    for (size_t i = 0; i < bytes; i++)
        to[2 + i] = (uint8_t)(payload_len >> (8 * (bytes - 1 - i)));
    return 2 + bytes;
}
