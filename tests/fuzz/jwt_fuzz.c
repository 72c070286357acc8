/* Tokens from hostile clients: nothing that the right key did not sign gets through. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "fuzz/both_ways.h"
#include "proto/jwt.h"

static const char secret[] = "0123456789abcdef0123456789abcdef";

static void put_base64url(struct buf *out, struct span bytes)
{
    size_t room = 4 * ((bytes.len + 2) / 3) + 1;
    char *to = (char *)buf_reserve(out, room);
    crypto_base64(bytes, to, room);
    for (; *to != '\0' && *to != '='; to++)
        buf_putc(out, *to == '+' ? '-' : *to == '/' ? '_' : (uint8_t)*to);
}

/* Signed properly, so that what is read behind the signature is reached, too. */
static void put_token(struct buf *out, struct span payload)
{
    uint8_t mac[32];
    struct buf part = {0};
    put_base64url(out, span_str("{\"alg\":\"HS256\"}"));
    buf_putc(out, '.');
    put_base64url(&part, payload);
    buf_put_span(out, buf_span(&part));
    buf_clear(&part);
    crypto_hmac_sha256(span_str(secret), buf_span(out), mac);
    put_base64url(&part, span_of(mac, sizeof(mac)));
    buf_putc(out, '.');
    buf_put_span(out, buf_span(&part));
    buf_fini(&part);
}

static struct gw_json *claims_of(struct span token)
{
    const char *why = NULL;
    struct jwt_rules rules = {.secret = span_str(secret), .audience = "a"};
    struct gw_json *claims = jwt_claims(token, &rules, 1000, &why);
    if (!claims && !why)
        abort();
    if (claims && (gw_json_type(claims) != GW_JSON_OBJECT || !gw_json_get(claims, "exp")))
        abort();
    return claims;
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    if (len == 0)
        return 0;
    struct span rest = span_of(at + 1, len - 1);
    struct buf token = {0};
    if (at[0] & 1)
        put_token(&token, rest);
    else
        buf_put_span(&token, rest);
    struct gw_json *claims = claims_of(buf_span(&token));
    if (claims && !(at[0] & 1) && len < 43) /* an HMAC alone has 43 characters */
        abort();
    bool is_good = claims;
    gw_json_free(claims);
    if (is_good) { /* and one changed bit of the signature is noticed: the last one counts nothing */
        token.at[token.len - 2] = token.at[token.len - 2] == 'A' ? 'B' : 'A';
        if (claims_of(buf_span(&token)))
            abort();
    }
    buf_fini(&token);
    return 0;
}
