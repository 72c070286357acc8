/* The keys of a section about its registries, and what must hold for them. */
#ifndef MESH_REGISTRIES_H
#define MESH_REGISTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "net/peer_tls_conf.h"

struct registries_conf {
    struct conf_list addresses;
    const char *secret;
    bool is_insecure;
    struct peer_tls_conf tls;
};

/* For the key table of a role whose struct TYPE has a `struct registries_conf FIELD`. DEFAULT is
 * where the registry is when no key says so, NULL for nowhere; WHY says what it is for. */
#define REGISTRIES_CONF_KEYS(TYPE, FIELD, DEFAULT, WHY)                                            \
    {.name = "register_address",                                                                   \
     .type = CONF_LIST,                                                                            \
     .offset = offsetof(TYPE, FIELD.addresses),                                                    \
     .def = DEFAULT,                                                                               \
     .meaning = WHY " May be repeated."},                                                          \
        {.name = "secret_key",                                                                     \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.secret),                                                   \
         .def = "",                                                                                \
         .meaning = "Key that registry, gateways, workers and client libraries have in common."},  \
        PEER_TLS_CONF_KEYS(TYPE, FIELD.tls),                                                       \
    {                                                                                              \
        .name = "insecure", .type = CONF_BOOL, .offset = offsetof(TYPE, FIELD.is_insecure),        \
        .def = "false", .meaning = "Allows registries on other hosts without secret_key."          \
    }
#define REGISTRIES_DEFAULT "127.0.0.1:1236"

/* host:port each, none on another host without a secret unless is_insecure, and a secret that JSON
 * can carry. 0 or GW_ECONF with lines in errors. */
int registries_check(const struct conf *conf, const struct conf_section *s,
                     const struct registries_conf *rc, struct buf *errors) NODISCARD;

#endif
