/* Who may come in, by config: a signed token in the handshake, or a worker's word. */
#ifndef GATEWAY_AUTH_CONF_H
#define GATEWAY_AUTH_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "base/span.h"

enum auth_kind { AUTH_NONE, AUTH_HMAC, AUTH_JWT, AUTH_WORKER };

struct auth_conf {
    int kind;
    const char *key;
    const char *key_file;
    struct conf_list from;
    const char *uid_claim;
    const char *audience;
    const char *issuer;
    uint64_t leeway_ms;
};

/* For the key table of a role whose struct TYPE has a `struct auth_conf FIELD`. */
#define AUTH_CONF_KEYS(TYPE, FIELD)                                                                \
    {.name = "auth",                                                                               \
     .type = CONF_ENUM,                                                                            \
     .offset = offsetof(TYPE, FIELD.kind),                                                         \
     .def = "none",                                                                                \
     .choices = "none|hmac|jwt|worker",                                                            \
     .meaning = "What a WebSocket handshake must show: a token signed with auth_key (hmac: "       \
                "UID.EXPIRES.SIGNATURE; jwt), or whatever a worker's on_handshake asks for; "      \
                "without, that is asked where there is one."},                                     \
        {.name = "auth_key",                                                                       \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.key),                                                      \
         .meaning = "Secret of at least 32 bytes (hmac, and HS256 of jwt)."},                      \
        {.name = "auth_key_file",                                                                  \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.key_file),                                                 \
         .meaning = "File with the secret, or with a public key or certificate in PEM, which "     \
                    "makes jwt expect RS256 or ES256. Read before privileges are dropped, "        \
                    "and again at a reload."},                                                     \
        {.name = "auth_from",                                                                      \
         .type = CONF_LIST,                                                                        \
         .offset = offsetof(TYPE, FIELD.from),                                                     \
         .def = "query:token",                                                                     \
         .meaning = "Where the token is looked for: query:NAME, header:NAME (a leading Bearer is " \
                    "skipped) or cookie:NAME. May be repeated, the first that is there counts."},  \
        {.name = "auth_uid_claim",                                                                 \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.uid_claim),                                                \
         .meaning = "Claim that the client is bound to as its uid (sub, for instance); a token "   \
                    "without it is refused."},                                                     \
        {.name = "auth_audience",                                                                  \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.audience),                                                 \
         .meaning = "What jwt must name in aud; unset: not looked at."},                           \
        {.name = "auth_issuer",                                                                    \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.issuer),                                                   \
         .meaning = "What jwt must name in iss; unset: not looked at."},                           \
    {                                                                                              \
        .name = "auth_leeway", .type = CONF_SECONDS, .offset = offsetof(TYPE, FIELD.leeway_ms),    \
        .def = "0", .max = 3600000, .unit = "s",                                                   \
        .meaning = "Time by which the clocks of those who make tokens may differ from ours."       \
    }

/* 0, or GW_ECONF with a line each in errors. */
int auth_conf_check(const struct conf *conf, const struct conf_section *s,
                    const struct auth_conf *ac, struct buf *errors) NODISCARD;

/* "query:token" taken apart; name is the end of text, with its '\0' behind. */
enum auth_place { AUTH_QUERY, AUTH_HEADER, AUTH_COOKIE };
bool auth_conf_place(const char *text, enum auth_place *place, struct span *name) NODISCARD;

#endif
