/* JSON Web Tokens (RFC 7519) in the compact form of RFC 7515: taken apart, and judged. */
#ifndef PROTO_JWT_H
#define PROTO_JWT_H

#include <stdint.h>

#include <gw/json.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"

struct public_key;

enum { JWT_BYTES_MAX = 8192, JWT_DEPTH_MAX = 16 };

/* What a token must be. Either a secret (HS256) or a public key (RS256 or ES256, as the key is):
 * the token's own "alg" has no say in that, it must name the same. */
struct jwt_rules {
    struct span secret;
    const struct public_key *key; /* NULL: HS256 */
    int64_t leeway_s;             /* by which clocks may differ */
    const char *audience;         /* must be in "aud"; NULL: not looked at */
    const char *issuer;           /* must be "iss"; NULL: not looked at */
};

/* Judges the token. Returns its claims, the caller's to free, or NULL with one sentence in *why,
 * which tells nothing that helps to make one. A token must have "exp" (RFC 7519 §4.1.4). */
struct gw_json *jwt_claims(struct span token, const struct jwt_rules *rules, int64_t now_s,
                           const char **why) NODISCARD;

/* Decodes base64url without padding (RFC 7515 §2), replacing what is in `out`. false: it is none.
 */
bool jwt_unbase64url(struct span text, struct buf *out) NODISCARD;

#endif
