/* Certificates for tests of TLS: made on the spot, valid for an hour. */
#ifndef SUPPORT_CERT_H
#define SUPPORT_CERT_H

#include <stddef.h>

#include "base/span.h"

struct cert {
    char cert_pem[2048];
    char key_pem[1024];
};

/* A certificate for the host name, signed by `issuer`, or by itself (then it is a CA) for NULL. It
 * ends ends_in_s seconds from now. Any failure of OpenSSL fails the test. */
void cert_make(struct cert *out, const char *host, const struct cert *issuer, long ends_in_s);

#endif
