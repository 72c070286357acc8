/* The opening handshake (RFC 6455 §4.2), as requests and the bytes of their answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/ws.h"
#include "support/feed.h"
#include "support/vector.h"

/* The request of RFC 6455 §1.3, line by line, so that a vector can leave one out. */
#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a:7272\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define END "\r\n"

/* vector plain */
#define ACCEPTED                                                                                   \
    "HTTP/1.1 101 Switching Protocol\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"       \
    "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

static const struct codec_conf conf = {
    .message_max_bytes = 1000, .head_max_bytes = 400, .fragments_max_n = 4};

static const struct vector accepted[] = {
    {"plain", BYTES(GET HOST UPGRADE VERSION KEY END), "open GET /\n", BYTES(ACCEPTED)},
    {"lower_case",
     BYTES("GET /x?y=1 HTTP/1.1\r\nhost: a\r\nupgrade: WebSocket\r\n"
           "connection: keep-alive, upgrade\r\nsec-websocket-version: 13\r\n"
           "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
     "open GET /x?y=1\n", BYTES(ACCEPTED)},
    {"upgrade_among_others",
     BYTES(
         GET HOST
         "Upgrade: h2c, websocket\r\nConnection: close\r\nConnection: Upgrade\r\n" VERSION KEY END),
     "open GET /\n", BYTES(ACCEPTED)},
    {"with_frame",
     BYTES(GET HOST UPGRADE VERSION KEY END "\x81\x85"
                                            "abcd"
                                            "\x04\x03\x11\x08\x18"),
     "open GET /\ntext 5 early\n", BYTES(ACCEPTED)},
    {"subprotocol",
     BYTES(GET HOST UPGRADE VERSION KEY "Sec-WebSocket-Protocol: chat, superchat\r\n" END),
     "open GET /\n", BYTES(ACCEPTED)},
    {"extensions",
     BYTES(GET HOST UPGRADE VERSION KEY
           "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" END),
     "open GET /\n", BYTES(ACCEPTED)},
    {"line_without_colon", BYTES(GET HOST UPGRADE VERSION KEY "no colon line\r\n" END),
     "open GET /\n", BYTES(ACCEPTED)}, /* vector repeated_header */
    {"fragment", BYTES("GET /p?q=1#frag HTTP/1.1\r\n" HOST UPGRADE VERSION KEY END),
     "open GET /p?q=1#frag\n", BYTES(ACCEPTED)},
    {"bad_utf8_header",
     BYTES("GET /\xff HTTP/1.1\r\n" HOST UPGRADE VERSION KEY "X-Bin: \xff\xfe\r\n" END),
     "open GET /\\xff\n", BYTES(ACCEPTED)},
    {"five_bytes", BYTES("GET /"), "", {0}},
};

#define REFUSED "error -1002\n"

struct refusal {
    const char *name;
    struct span in;
    const char *events;
    const char *status;
    const char *headers; /* before Content-Type */
    const char *text;
};

#define BAD "400 Bad Request", ""
#define ASK "Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
#define BAD_KEY BAD, "Exactly one Sec-WebSocket-Key of 16 bytes in base64 is needed."

static const struct refusal refusals[] = {
    {"not_get", BYTES("P"), REFUSED, BAD, "A WebSocket handshake begins with GET."},
    {"garbage", BYTES("GEt"), REFUSED, BAD, "A WebSocket handshake begins with GET."},
    {"tls", BYTES("\x16\x03\x01"), REFUSED, BAD, "A WebSocket handshake begins with GET."},
    {"http10", BYTES("GET / HTTP/1.0\r\n" HOST UPGRADE VERSION KEY END), REFUSED, BAD,
     "A WebSocket handshake needs HTTP/1.1."},
    {"http2", BYTES("GET / HTTP/2.0\r\n" HOST UPGRADE VERSION KEY END), REFUSED,
     "505 HTTP Version Not Supported", "", "Only HTTP/1.1 is spoken here."},
    {"no_host", BYTES(GET UPGRADE VERSION KEY END), REFUSED, BAD,
     "Exactly one Host header is needed."},
    {"empty_host", BYTES(GET "Host:\r\n" UPGRADE VERSION KEY END), REFUSED, BAD,
     "The Host header is empty."},
    {"body", BYTES(GET HOST UPGRADE VERSION KEY "Content-Length: 3\r\n" END), REFUSED, BAD,
     "A WebSocket handshake has no body."},
    {"chunked_body", BYTES(GET HOST UPGRADE VERSION KEY "Transfer-Encoding: chunked\r\n" END),
     REFUSED, BAD, "A WebSocket handshake has no body."},
    {"no_upgrade_header", BYTES(GET HOST VERSION KEY END), REFUSED, "426 Upgrade Required", ASK,
     "This address speaks WebSocket: ask for an upgrade."},
    {"connection_without_upgrade",
     BYTES(GET HOST "Upgrade: websocket\r\nConnection: keep-alive\r\n" VERSION KEY END), REFUSED,
     "426 Upgrade Required", ASK, "This address speaks WebSocket: ask for an upgrade."},
    {"upgrade_to_websockets",
     BYTES(GET HOST "Upgrade: websockets\r\nConnection: Upgrade\r\n" VERSION KEY END), REFUSED,
     "426 Upgrade Required", ASK, "This address speaks WebSocket: ask for an upgrade."},
    {"no_version", BYTES(GET HOST UPGRADE KEY END), REFUSED, "400 Bad Request", ASK,
     "Exactly one Sec-WebSocket-Version is needed."},
    {"two_versions", BYTES(GET HOST UPGRADE VERSION VERSION KEY END), REFUSED, "400 Bad Request",
     ASK, "Exactly one Sec-WebSocket-Version is needed."},
    {"version_8", BYTES(GET HOST UPGRADE "Sec-WebSocket-Version: 8\r\n" KEY END), REFUSED,
     "426 Upgrade Required", ASK, "Only WebSocket version 13 is spoken here."},
    {"no_key", BYTES(GET HOST UPGRADE VERSION END), REFUSED, BAD_KEY},
    {"two_keys", BYTES(GET HOST UPGRADE VERSION KEY KEY END), REFUSED, BAD_KEY},
    {"key_spaces", BYTES(GET HOST UPGRADE VERSION "Sec-WebSocket-Key:   short\r\n" END), REFUSED,
     BAD_KEY},
    {"key_of_15_bytes",
     BYTES(GET HOST UPGRADE VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n" END), REFUSED,
     BAD_KEY},
    {"key_of_17_bytes",
     BYTES(GET HOST UPGRADE VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n" END), REFUSED,
     BAD_KEY},
    {"key_of_18_bytes",
     BYTES(GET HOST UPGRADE VERSION "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAAA\r\n" END), REFUSED,
     BAD_KEY},
    {"key_not_base64",
     BYTES(GET HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j*Q==\r\n" END), REFUSED,
     BAD_KEY},
};

static void test_accepted(void **unused)
{
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++)
        vector_check(&ws_codec, &conf, (struct span){0}, &accepted[i]);
}

static void check_refusal(const struct refusal *x)
{
    bool has_headers = x->headers[0] != '\0';
    struct buf reply = {0};
    buf_printf(&reply,
               "HTTP/1.1 %s\r\n%sContent-Type: text/plain; charset=utf-8\r\n"
               "Content-Length: %zu\r\n%s\r\n%s\n",
               x->status, x->headers, strlen(x->text) + 1,
               has_headers ? "" : "Connection: close\r\n", x->text);
    const struct vector v = {x->name, x->in, x->events, buf_span(&reply)};
    vector_check(&ws_codec, &conf, (struct span){0}, &v);
    buf_fini(&reply);
}

static void test_refused(void **unused)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        check_refusal(&refusals[i]);
}

/* A head may have head_max_bytes, and not one more. */
static void test_head_limit(void **unused)
{
    char head[500];
    char filler[300];
    memset(filler, 'x', sizeof(filler));
    static const char plain[] = GET HOST UPGRADE VERSION KEY "X: \r\n\r\n";
    size_t room = conf.head_max_bytes - strlen(plain);
    for (size_t more = 0; more < 2; more++) {
        snprintf(head, sizeof(head), GET HOST UPGRADE VERSION KEY "X: %.*s\r\n\r\n",
                 (int)(room + more), filler);
        for (unsigned how = 0; how < 4; how++) {
            struct feed f;
            feed_init(&f, &ws_codec, &conf);
            feed_cut(&f, span_str(head), how);
            assert_string_equal(feed_events(&f), more ? "error -1003\n" : "open GET /\n");
            const char *status = more ? "HTTP/1.1 431 " : "HTTP/1.1 101 ";
            assert_memory_equal(f.replies.at, status, strlen(status));
            feed_fini(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_head_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
