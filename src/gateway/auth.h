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

/* Reads auth_key_file, if there is one, and appends it to *credentials as a part: by the master,
 * since the gateway's user may not be allowed to. 0, or GW_ECONF with a line in errors: the key
 * cannot be used. */
int auth_read(const struct conf *conf, const struct conf_section *s, const struct auth_conf *ac,
              struct buf *credentials, struct buf *errors) NODISCARD;
/* Cuts what auth_read() wrote off *credentials. 0, or GW_ECONF, logged. */
int auth_open(struct auth *a, const struct auth_conf *ac, struct span *credentials) NODISCARD;
void auth_close(struct auth *a); /* twice is fine */

/* With hmac and jwt only. The claims, the caller's to free; or NULL and a sentence for the answer.
 */
struct gw_json *auth_claims(const struct auth *a, const struct http_request *r, int64_t now_s,
                            const char **why) NODISCARD;

#endif
