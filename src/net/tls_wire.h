/* The socket below a TLS connection: the records of one flush leave in one send. */
#ifndef NET_TLS_WIRE_H
#define NET_TLS_WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/compiler.h"

enum {
    TLS_RECORD_MAX = 16384,        /* RFC 8446 §5.1: 2^14 bytes */
    TLS_RECORD_EXTRA_MAX = 256,    /* RFC 8446 §5.2: what encryption may add, beside the header */
    TLS_GATHER_RECORDS = 4,        /* a send of 64 KiB costs little more than one of 16 */
    TLS_GATHER_SPARE_BYTES = 4096, /* for a key update or an alert between them */
};

/* Encrypted records on their way to a socket: one for all connections of a context, in use only
 * during one call. */
struct tls_gather {
    size_t len;
    uint8_t
        at[TLS_GATHER_RECORDS * (TLS_RECORD_MAX + TLS_RECORD_EXTRA_MAX) + TLS_GATHER_SPARE_BYTES];
};

/* Zero-initialise. */
struct tls_wire {
    int fd;
    bool is_open;
    bool is_drained; /* the last read emptied the socket: another one would only say so */
    bool is_at_end;
    struct tls_gather *gather; /* NULL: what is written is sent at once */
    uint8_t *rest;             /* what the socket did not take of the last flush; NULL: nothing */
    size_t rest_off;
    size_t rest_len;
};

BIO_METHOD *tls_wire_method_new(void) NODISCARD; /* NULL: no memory */
/* Puts w below ssl, which must end before w and method do. false: no memory. */
bool tls_wire_open(struct tls_wire *w, SSL *ssl, BIO_METHOD *method, int fd) NODISCARD;
void tls_wire_close(struct tls_wire *w); /* drops the rest; the socket stays open */

/* From here on records are gathered, until tls_wire_flush(). Only without a rest. */
void tls_wire_gather(struct tls_wire *w, struct tls_gather *gather);
/* 0 when all is sent, or the error; with -EAGAIN the rest is kept. Without anything gathered it
 * sends the rest of the last time. */
int tls_wire_flush(struct tls_wire *w) NODISCARD;

#endif
