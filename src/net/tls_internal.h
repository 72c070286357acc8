/* What tls.c and tls_context.c share. */
#ifndef NET_TLS_INTERNAL_H
#define NET_TLS_INTERNAL_H

#include <openssl/ssl.h>

#include "net/tls_context.h"
#include "net/tls_wire.h"

enum { TLS_SECRET_MAX = 64 };

/* One SSL_CTX per certificate, the first one answers and hands over by name (RFC 6066 §3). */
struct tls_context {
    size_t refs_n;
    size_t pairs_n;
    SSL_CTX **pairs;
    BIO_METHOD *wire; /* NULL: the kernel encrypts where it can, which needs OpenSSL's own */
    uint8_t ticket_secret[TLS_SECRET_MAX];
    size_t ticket_secret_len;
    /* Small pieces of output are gathered here, parts of files are read to here; only during one
     * call. */
    uint8_t scratch[TLS_RECORD_MAX];
    struct tls_gather gather;
};

#endif
