/* The keys of a section about TLS between the parts of a cluster, and what they name. */
#ifndef NET_PEER_TLS_CONF_H
#define NET_PEER_TLS_CONF_H

#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "net/peer_tls.h"

struct peer_tls_conf {
    int mode; /* enum peer_tls_mode */
    const char *cert;
    const char *key;
    const char *ca;
    const char *name;
};

/* NOLINTBEGIN(bugprone-macro-parentheses): a type in offsetof() takes none. */
/* For the key table of a role whose struct TYPE has a `struct peer_tls_conf FIELD`. */
#define PEER_TLS_CONF_KEYS(TYPE, FIELD)                                                            \
    {.name = "inner_tls",                                                                          \
     .type = CONF_ENUM,                                                                            \
     .offset = offsetof(TYPE, FIELD.mode),                                                         \
     .def = "off",                                                                                 \
     .choices = "off|optional|required",                                                           \
     .meaning = "TLS between registry, gateways, workers and the other parts of a cluster. With "  \
                "optional and required this section dials with TLS and shows inner_tls_cert; the " \
                "registry's and the gateway's inner port refuse peers without TLS when it is "     \
                "required, and take them beside the others when it is optional."},                 \
        {.name = "inner_tls_cert",                                                                 \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.cert),                                                     \
         .meaning = "PEM file with this host's certificate for inner_tls, its chain behind it. "   \
                    "Both sides of a connection show theirs."},                                    \
        {.name = "inner_tls_key",                                                                  \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.key),                                                      \
         .meaning = "PEM file with the private key of inner_tls_cert."},                           \
        {.name = "inner_tls_ca",                                                                   \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.ca),                                                       \
         .meaning = "PEM file with the certificates that sign those of the cluster; peers with "   \
                    "any other are refused, those that the system trusts included."},              \
    {                                                                                              \
        .name = "inner_tls_name", .type = CONF_STR, .offset = offsetof(TYPE, FIELD.name),          \
        .meaning = "Name that the certificate of every peer must be for, of those that dial as "   \
                   "well as of those dialled. Unset: who is dialled must have a certificate for "  \
                   "its host name or address, and who dials may have any of the CA."               \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

/* As tls_conf_read() and tls_conf_open(): one part of a section's credentials. */
int peer_tls_read(const struct conf *conf, const struct conf_section *s,
                  const struct peer_tls_conf *c, struct buf *credentials,
                  struct buf *errors) NODISCARD;
/* t is off, or open and keeps what it has when this fails. */
int peer_tls_open(struct peer_tls *t, const struct peer_tls_conf *c,
                  struct span *credentials) NODISCARD;
#endif
