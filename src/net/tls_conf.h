/* The TLS keys of a section, the same for every role, and what they name: read, checked, opened. */
#ifndef NET_TLS_CONF_H
#define NET_TLS_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "net/tls_context.h"

struct tls_conf {
    struct conf_list certs;
    struct conf_list keys;
    const char *client_ca;
    int verify;      /* enum tls_verify */
    int min_version; /* enum tls_version */
    const char *ciphers;
    const char *suites;
    bool has_kernel;
};

/* The default ciphers have forward secrecy and authenticated encryption (RFC 9325 §4.2), as all of
 * TLS 1.3's do. */
#define TLS_CONF_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"
/* All three that RFC 8446 §9.1 names, the one that every client has first: its ten rounds instead
 * of fourteen make a broadcast 4 to 6 % cheaper. */
#define TLS_CONF_SUITES "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

/* NOLINTBEGIN(bugprone-macro-parentheses): a type in offsetof() takes none. */
/* For the key table of a role whose struct TYPE has a `struct tls_conf FIELD`. */
#define TLS_CONF_KEYS(TYPE, FIELD)                                                                 \
    {.name = "tls_cert",                                                                           \
     .type = CONF_LIST,                                                                            \
     .offset = offsetof(TYPE, FIELD.certs),                                                        \
     .meaning = "PEM file with the certificate and behind it its chain: makes the TCP addresses "  \
                "of this section TLS (wss, https and so on). May be repeated, with a tls_key "     \
                "each; clients "                                                                   \
                "get the one for the name they ask for, else the first."},                         \
        {.name = "tls_key",                                                                        \
         .type = CONF_LIST,                                                                        \
         .offset = offsetof(TYPE, FIELD.keys),                                                     \
         .meaning = "PEM file with the private key of the tls_cert at the same place."},           \
        {.name = "tls_client_ca",                                                                  \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.client_ca),                                                \
         .meaning = "PEM file with the certificates that sign clients' certificates, for "         \
                    "tls_verify = optional or required."},                                         \
        {.name = "tls_verify",                                                                     \
         .type = CONF_ENUM,                                                                        \
         .offset = offsetof(TYPE, FIELD.verify),                                                   \
         .def = "none",                                                                            \
         .choices = "none|optional|required",                                                      \
         .meaning = "Whether clients must show a certificate. With optional, one that is shown "   \
                    "must be good."},                                                              \
        {.name = "tls_min_version",                                                                \
         .type = CONF_ENUM,                                                                        \
         .offset = offsetof(TYPE, FIELD.min_version),                                              \
         .def = "1.2",                                                                             \
         .choices = "1.2|1.3",                                                                     \
         .meaning = "The oldest version of TLS that clients may speak."},                          \
        {.name = "tls_ciphers",                                                                    \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.ciphers),                                                  \
         .def = TLS_CONF_CIPHERS,                                                                  \
         .meaning = "Ciphers of TLS 1.2, written as for OpenSSL; TLS 1.3 has tls_ciphersuites."},  \
        {.name = "tls_ciphersuites",                                                               \
         .type = CONF_STR,                                                                         \
         .offset = offsetof(TYPE, FIELD.suites),                                                   \
         .def = TLS_CONF_SUITES,                                                                   \
         .meaning = "Ciphers of TLS 1.3, separated by colons. The first that a client has too is " \
                    "taken, but CHACHA20 where the client prefers it, as phones without AES in "   \
                    "hardware do."},                                                               \
    {                                                                                              \
        .name = "tls_kernel", .type = CONF_BOOL, .offset = offsetof(TYPE, FIELD.has_kernel),       \
        .def = "false", .meaning = "Lets the kernel encrypt, where it has kernel TLS."             \
    }
/* NOLINTEND(bugprone-macro-parentheses) */

bool tls_conf_is_on(const struct tls_conf *tls);

/* Reads the files that the keys name, makes sure that they work together, and appends them to
 * *credentials as one part (base/part.h). At start and at a reload, by whoever may read private
 * keys. 0, also with TLS off, when nothing is appended; or GW_ECONF with a line each in errors.
 * Certificates that end soon are warned of in the log. */
int tls_conf_read(const struct conf *conf, const struct conf_section *s, const struct tls_conf *tls,
                  struct buf *credentials, struct buf *errors) NODISCARD;
/* Makes a context of what tls_conf_read() wrote, cutting it off *credentials; *out is NULL with TLS
 * off. 0, or GW_ECONF with a log line when they are no such bytes. */
int tls_conf_open(const struct tls_conf *tls, struct span *credentials,
                  struct tls_context **out) NODISCARD;

#endif
