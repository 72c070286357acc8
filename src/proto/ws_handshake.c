/* The server's side of the opening handshake: RFC 6455 §4.2. */
#include "proto/ws.h"

#include <gw/err.h>

#include "base/clock.h"
#include "base/crypto.h"

enum { WS_KEY_BYTES = 16, SHA1_BYTES = 20 };

/* RFC 6455 §1.3: what a server that speaks WebSocket knows and no other does. */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

void ws_accept_of(const uint8_t key[WS_KEY_TEXT], char out[WS_ACCEPT_TEXT + 1])
{
    uint8_t text[WS_KEY_TEXT + sizeof(guid) - 1];
    memcpy(text, key, WS_KEY_TEXT);
    memcpy(text + WS_KEY_TEXT, guid, sizeof(guid) - 1);
    uint8_t digest[SHA1_BYTES];
    crypto_sha1(span_of(text, sizeof(text)), digest);
    crypto_base64(span_of(digest, sizeof(digest)), out, WS_ACCEPT_TEXT + 1);
}

static size_t count(const struct http_request *r, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < r->headers_n; i++)
        n += span_eq_nocase(r->headers[i].name, name);
    return n;
}

static int refuse(struct buf *reply, const char *text)
{
    http_put_error(reply, 400, text, clock_wall_s());
    return GW_EPROTO;
}

/* An answer that tells what to speak here: RFC 6455 §4.4, RFC 9110 §15.5.22. */
static int ask_for_version(struct buf *reply, int status, const char *text)
{
    http_put_status(reply, status, clock_wall_s());
    buf_printf(reply,
               "Connection: Upgrade, close\r\n"
               "Upgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\n"
               "Content-Type: text/plain; charset=utf-8\r\n"
               "Content-Length: %zu\r\n\r\n%s\n",
               strlen(text) + 1, text);
    return GW_EPROTO;
}

static bool is_key(struct span key)
{
    uint8_t nonce[WS_KEY_BYTES + 2]; /* room for what a key without padding decodes to */
    return key.len == WS_KEY_TEXT && crypto_unbase64(key, nonce, sizeof(nonce)) == WS_KEY_BYTES;
}

/* The bytes that the original sends, its short reason phrase too (vector plain): nobody reads the
 * phrase, and equal bytes make recordings comparable. */
static void accept_key(struct span key, struct span extensions, struct buf *reply)
{
    char answer[WS_ACCEPT_TEXT + 1];
    ws_accept_of(key.at, answer);
    buf_puts(reply, "HTTP/1.1 101 Switching Protocol\r\n"
                    "Upgrade: websocket\r\n"
                    "Sec-WebSocket-Version: 13\r\n"
                    "Connection: Upgrade\r\n"
                    "Sec-WebSocket-Accept: ");
    buf_put(reply, answer, WS_ACCEPT_TEXT);
    buf_puts(reply, "\r\n");
    if (extensions.len > 0)
        http_put_header(reply, "Sec-WebSocket-Extensions", extensions);
    buf_puts(reply, "\r\n");
}

/* Agrees on what the client offers and accepts. */
static int accept(const struct http_request *r, const struct ws_deflate *deflate,
                  struct ws_deflate_terms *terms, struct buf *reply)
{
    struct buf extensions = {0};
    int rc = 0;
    *terms = (struct ws_deflate_terms){0};
    if (deflate)
        rc = ws_deflate_agree(ws_deflate_conf_of(deflate), r, terms, &extensions);
    if (rc < 0)
        rc = refuse(reply, "Sec-WebSocket-Extensions is not well-formed.");
    else
        accept_key(http_header(r, "sec-websocket-key"), buf_span(&extensions), reply);
    buf_fini(&extensions);
    return rc < 0 ? rc : 0;
}

int ws_answer_handshake(const struct http_request *r, const struct ws_deflate *deflate,
                        struct ws_deflate_terms *terms, struct buf *reply)
{
    if (!span_is(r->method, "GET"))
        return refuse(reply, "A WebSocket handshake is a GET request.");
    if (r->minor < 1)
        return refuse(reply, "A WebSocket handshake needs HTTP/1.1.");
    if (http_header(r, "host").len == 0)
        return refuse(reply, "The Host header is empty.");
    if (r->has_body) /* its bytes would be taken for frames */
        return refuse(reply, "A WebSocket handshake has no body.");
    if (!http_header_has(r, "upgrade", "websocket") || !http_header_has(r, "connection", "upgrade"))
        return ask_for_version(reply, 426, "This address speaks WebSocket: ask for an upgrade.");

    size_t versions_n = count(r, "sec-websocket-version");
    if (versions_n != 1)
        return ask_for_version(reply, 400, "Exactly one Sec-WebSocket-Version is needed.");
    if (!span_is(http_header(r, "sec-websocket-version"), "13"))
        return ask_for_version(reply, 426, "Only WebSocket version 13 is spoken here.");

    struct span key = http_header(r, "sec-websocket-key");
    if (count(r, "sec-websocket-key") != 1 || !is_key(key))
        return refuse(reply, "Exactly one Sec-WebSocket-Key of 16 bytes in base64 is needed.");
    return accept(r, deflate, terms, reply);
}
