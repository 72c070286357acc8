/* What a gateway agrees on with its WebSocket clients beyond the protocol: compression,
 * subprotocols. */
#ifndef GATEWAY_WS_CONF_H
#define GATEWAY_WS_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "base/span.h"
#include "proto/ws_deflate.h"

struct http_request;

enum ws_takeover { WS_TAKEOVER_NONE, WS_TAKEOVER_CLIENT, WS_TAKEOVER_SERVER, WS_TAKEOVER_BOTH };

struct ws_conf {
    bool has_deflate;
    uint64_t deflate_min_bytes;
    int64_t deflate_window_bits;
    int64_t deflate_mem_level;
    int deflate_takeover;
    struct conf_list subprotocols;
};

/* For the key table of a role whose struct TYPE has a `struct ws_conf FIELD`. */
#define WS_CONF_KEYS(TYPE, FIELD)                                                                  \
    {.name = "deflate",                                                                            \
     .type = CONF_BOOL,                                                                            \
     .offset = offsetof(TYPE, FIELD.has_deflate),                                                  \
     .def = "false",                                                                               \
     .meaning = "Compresses messages of WebSocket clients that offer it (permessage-deflate, RFC " \
                "7692); a broadcast is compressed once."},                                         \
        {.name = "deflate_min_bytes",                                                              \
         .type = CONF_SIZE,                                                                        \
         .offset = offsetof(TYPE, FIELD.deflate_min_bytes),                                        \
         .def = "256",                                                                             \
         .max = INT64_C(1) << 30,                                                                  \
         .unit = "bytes",                                                                          \
         .meaning = "Smaller messages go out as they are."},                                       \
        {.name = "deflate_window_bits",                                                            \
         .type = CONF_INT,                                                                         \
         .offset = offsetof(TYPE, FIELD.deflate_window_bits),                                      \
         .def = "15",                                                                              \
         .min = 9,                                                                                 \
         .max = WS_WINDOW_BITS_MAX,                                                                \
         .meaning = "Largest window that is agreed on: a context for reading holds 2^bits bytes "  \
                    "and 7 KiB, one for writing 4 * 2^bits and 2^(deflate_mem_level + 9)."},       \
        {.name = "deflate_mem_level",                                                              \
         .type = CONF_INT,                                                                         \
         .offset = offsetof(TYPE, FIELD.deflate_mem_level),                                        \
         .def = "8",                                                                               \
         .min = 1,                                                                                 \
         .max = 9,                                                                                 \
         .meaning = "Memory of a context for writing: see deflate_window_bits."},                  \
        {.name = "deflate_takeover",                                                               \
         .type = CONF_ENUM,                                                                        \
         .offset = offsetof(TYPE, FIELD.deflate_takeover),                                         \
         .def = "none",                                                                            \
         .choices = "none|client|server|both",                                                     \
         .meaning = "Whose messages may refer to earlier ones. That compresses small ones better " \
                    "and costs a context per connection; with server or both, each connection's "  \
                    "messages are compressed for it alone."},                                      \
    {                                                                                              \
        .name = "subprotocol", .type = CONF_LIST, .offset = offsetof(TYPE, FIELD.subprotocols),    \
        .meaning = "A WebSocket subprotocol that is spoken here. The client's first that is one "  \
                   "of them is answered. May be repeated."                                         \
    }

/* 0, or GW_ECONF with a line each in errors. */
int ws_conf_check(const struct conf *conf, const struct conf_section *s, const struct ws_conf *wc,
                  struct buf *errors) NODISCARD;
bool ws_conf_keeps_ours(const struct ws_conf *wc); /* our messages may refer to earlier ones */
/* The contexts for a listener's codec_conf, the caller's to free; NULL: off. */
struct ws_deflate *ws_conf_deflate(const struct ws_conf *wc);
/* What the client asks for first of what is spoken here; {NULL, 0}: nothing. Borrowed from the
 * request. */
struct span ws_conf_choose(const struct ws_conf *wc, const struct http_request *r);

/* RFC 6455 §4.1: a token. */
bool ws_subprotocol_is_valid(struct span name);

#endif
