/* The check of a handshake's token: keys loaded once, tokens found and judged. */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

#include <stdint.h>

#include <gw/json.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "gateway/auth_conf.h"
#include "proto/http.h"

struct public_key;

struct auth {
    const struct auth_conf *conf;
    struct buf secret;
    struct public_key *key; /* NULL: the secret counts */
};

/* 0, or GW_ECONF, logged: the key cannot be used. */
int auth_open(struct auth *a, const struct auth_conf *ac, const struct conf *conf) NODISCARD;
void auth_close(struct auth *a); /* twice is fine */

/* With hmac and jwt only. The claims, the caller's to free; or NULL and a sentence for the answer.
 */
struct gw_json *auth_claims(const struct auth *a, const struct http_request *r, int64_t now_s,
                            const char **why) NODISCARD;

#endif
