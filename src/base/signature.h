/* Signatures by public keys: RSA and ECDSA over SHA-256, on OpenSSL's libcrypto. */
#ifndef BASE_SIGNATURE_H
#define BASE_SIGNATURE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/span.h"

enum signature_kind { SIGNATURE_RS256, SIGNATURE_ES256 }; /* RFC 7518 §3.1 */

struct public_key;

/* From PEM: a public key or a certificate, RSA of 2048 bits and more or EC on P-256. NULL with one
 * sentence in *why. */
struct public_key *public_key_new(struct span pem, const char **why) NODISCARD;
void public_key_free(struct public_key *k); /* NULL is fine */
enum signature_kind public_key_kind(const struct public_key *k);

/* Whether the bytes were signed by the other half of the key. ES256 signatures are r and s, 32
 * bytes each (RFC 7518 §3.4). */
bool public_key_verify(const struct public_key *k, struct span bytes,
                       struct span signature) NODISCARD;

#endif
