/* Certificates and keys out of PEM texts into an SSL_CTX, with complaints that people understand.
 */
#ifndef NET_TLS_PEM_H
#define NET_TLS_PEM_H

#include <openssl/ssl.h>

#include "base/compiler.h"
#include "net/tls_context.h"

/* Each returns 0, or -EINVAL with complaint->part and text filled. */
int tls_pem_use_pair(SSL_CTX *ctx, const struct tls_pair *pair,
                     struct tls_complaint *complaint) NODISCARD;
/* Trusts the certificates of `pem` to sign clients', and names them to clients. */
int tls_pem_use_client_ca(SSL_CTX *ctx, struct span pem, struct tls_complaint *complaint) NODISCARD;

/* Fills the complaint; the reason is OpenSSL's oldest error, which is the cause. Returns -EINVAL.
 */
int tls_complain(struct tls_complaint *complaint, enum tls_part part, const char *what);

#endif
