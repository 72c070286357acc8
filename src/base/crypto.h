/* Digests, base64, random bytes and constant-time comparison, over OpenSSL's libcrypto. */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

/* Loads what the first digest would load. For the start of a server: libcrypto crashes when it gets
 * no memory for this, and later there are clients to lose. May be called again. */
void crypto_prepare(void);
void crypto_sha1(struct span in, uint8_t out[20]);
void crypto_sha256(struct span in, uint8_t out[32]);
void crypto_hmac_sha256(struct span key, struct span in, uint8_t out[32]);
/* Standard alphabet with padding, NUL-terminated; out_bytes >= 4 * ((n + 2) / 3) + 1. */
void crypto_base64(struct span in, char *out, size_t out_bytes);
/* Bytes written, or -1 when the text is not base64 or out is too small. */
ptrdiff_t crypto_unbase64(struct span text, uint8_t *out, size_t out_bytes);
/* Takes as long for unequal as for equal bytes of the same length. */
bool crypto_is_equal(struct span a, struct span b);
void crypto_random(void *out, size_t n);
/* CRC-32 (IEEE 802.3), as PHP's crc32(): the session version on the wire. */
uint32_t crypto_crc32(struct span in);

#endif
