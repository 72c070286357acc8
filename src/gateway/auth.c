/* The check of a handshake's token. */
#include "gateway/auth.h"

#include <string.h>

#include <gw/err.h>

#include "base/crypto.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/part.h"
#include "base/signature.h"
#include "proto/jwt.h"

enum { KEY_FILE_MAX_BYTES = 64 * 1024, SECRET_MIN_BYTES = 32, MAC_BYTES = 32 };

/* ---- the key ---- */

/* Whatever is wrong, or NULL. */
static const char *use_pem(struct auth *a)
{
    const char *why;
    a->key = public_key_new(buf_span(&a->secret), &why);
    if (a->key && a->conf->kind == AUTH_HMAC) {
        public_key_free(a->key);
        a->key = NULL;
        why = "hmac needs a secret, not a public key";
    }
    return a->key ? NULL : why;
}

static const char *use_content(struct auth *a, struct span content)
{
    static const char pem[] = "-----BEGIN ";
    buf_put_span(&a->secret, content);
    if (content.len > strlen(pem) && memcmp(content.at, pem, strlen(pem)) == 0)
        return use_pem(a);
    a->secret.len = span_trim(buf_span(&a->secret)).len; /* the line's end */
    return a->secret.len < SECRET_MIN_BYTES ? "a secret needs at least 32 bytes" : NULL;
}

static bool has_token(const struct auth_conf *ac)
{
    return ac->kind == AUTH_HMAC || ac->kind == AUTH_JWT;
}

static const char *read_key(const struct conf *conf, const struct auth_conf *ac, struct buf *out)
{
    struct auth trial = {.conf = ac};
    struct span key;
    int rc = part_put_file(out, conf_path(conf, ac->key_file), KEY_FILE_MAX_BYTES);
    if (rc < 0)
        return gw_strerror(rc);
    struct span rest = buf_span(out);
    const char *why = part_take(&rest, &key) ? use_content(&trial, key) : "cannot be kept";
    auth_close(&trial);
    return why;
}

int auth_read(const struct conf *conf, const struct conf_section *s, const struct auth_conf *ac,
              struct buf *credentials, struct buf *errors)
{
    struct buf own = {0};
    if (!has_token(ac) || !ac->key_file)
        return 0;
    const char *why = read_key(conf, ac, &own);
    if (why)
        conf_complain(conf, s, "auth_key_file", errors, "%s: %s", ac->key_file, why);
    else
        buf_put_span(credentials, buf_span(&own));
    if (own.at)
        explicit_bzero(own.at, own.len);
    buf_fini(&own);
    return why ? GW_ECONF : 0;
}

int auth_open(struct auth *a, const struct auth_conf *ac, struct span *credentials)
{
    struct span key;
    const char *why = "it did not arrive";
    *a = (struct auth){.conf = ac};
    if (!has_token(ac))
        return 0;
    if (!ac->key_file) {
        buf_puts(&a->secret, ac->key);
        return 0;
    }
    if (part_take(credentials, &key))
        why = use_content(a, key);
    if (why)
        log_error("auth_key_file %s: %s", ac->key_file, why);
    return why ? GW_ECONF : 0;
}

void auth_close(struct auth *a)
{
    if (a->secret.at)
        explicit_bzero(a->secret.at, a->secret.len);
    buf_fini(&a->secret);
    public_key_free(a->key);
    a->key = NULL;
}

/* ---- the token ---- */

/* The value of NAME=VALUE in a list with that mark between. */
static struct span find_pair(struct span rest, uint8_t mark, struct span name)
{
    while (rest.len > 0) {
        struct span value = span_cut(&rest, mark);
        if (span_eq(span_trim(span_cut(&value, '=')), name) && value.at)
            return value;
    }
    return span_of(NULL, 0);
}

static struct span skip_bearer(struct span value)
{
    static const char scheme[] = "bearer";
    struct span rest = value;
    if (span_eq_nocase(span_cut(&rest, ' '), scheme))
        return span_trim(rest);
    return value;
}

/* Replaces what is in `out`; false: nothing is there. */
static bool find_token(const struct auth *a, const struct http_request *r, struct buf *out)
{
    for (size_t i = 0; i < a->conf->from.len; i++) {
        enum auth_place place;
        struct span name, found = {0};
        if (!auth_conf_place(a->conf->from.at[i].text, &place, &name))
            continue;
        if (place == AUTH_QUERY)
            found = find_pair(r->query, '&', name);
        else if (place == AUTH_COOKIE)
            found = find_pair(http_header(r, "Cookie"), ';', name);
        else
            found = skip_bearer(http_header(r, (const char *)name.at));
        buf_clear(out);
        if (found.len > 0 && place == AUTH_QUERY && !http_percent_decode(found, true, out))
            return false;
        if (place != AUTH_QUERY)
            buf_put_span(out, found);
        if (out->len > 0)
            return true;
    }
    return false;
}

/* ---- hmac ---- */

static bool unhex(struct span text, uint8_t out[MAC_BYTES])
{
    if (text.len != MAC_BYTES + MAC_BYTES)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0)
            return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit);
    }
    return true;
}

/* Cuts the part behind the last dot off *rest. */
static struct span cut_last(struct span *rest)
{
    size_t at = rest->len;
    while (at > 0 && rest->at[at - 1] != '.')
        at--;
    struct span last = span_skip(*rest, at);
    rest->len = at > 0 ? at - 1 : 0;
    return last;
}

/* UID.EXPIRES.SIGNATURE: HMAC-SHA-256 in hex of what is in front of its dot. */
static struct gw_json *hmac_claims(const struct auth *a, struct span token, int64_t now_s,
                                   const char **why)
{
    uint8_t mac[MAC_BYTES], shown[MAC_BYTES] = {0};
    uint64_t expires_s;
    struct span uid = token;
    struct span signature = cut_last(&uid);
    crypto_hmac_sha256(buf_span(&a->secret), uid, mac);
    *why = "The token's signature is wrong.";
    if (!unhex(signature, shown) ||
        !crypto_is_equal(span_of(mac, sizeof(mac)), span_of(shown, sizeof(shown))))
        return NULL;
    *why = "The token is malformed.";
    if (!span_to_u64(cut_last(&uid), &expires_s) || expires_s > INT64_MAX / 2 || uid.len == 0)
        return NULL;
    *why = "The token has expired.";
    if (now_s >= (int64_t)expires_s + (int64_t)(a->conf->leeway_ms / 1000))
        return NULL;
    struct gw_json *claims = gw_json_object();
    gw_json_set_int(claims, "exp", (int64_t)expires_s);
    if (gw_json_set_strn(claims, "sub", gw_bytes(uid.at, uid.len)) == 0)
        return claims;
    *why = "The token is not UTF-8.";
    gw_json_free(claims);
    return NULL;
}

struct gw_json *auth_claims(const struct auth *a, const struct http_request *r, int64_t now_s,
                            const char **why)
{
    struct gw_json *claims = NULL;
    struct buf token = {0};
    *why = "A token is needed here.";
    if (find_token(a, r, &token) && a->conf->kind == AUTH_HMAC) {
        claims = hmac_claims(a, buf_span(&token), now_s, why);
    } else if (token.len > 0) {
        struct jwt_rules rules = {.secret = buf_span(&a->secret),
                                  .key = a->key,
                                  .leeway_s = (int64_t)(a->conf->leeway_ms / 1000),
                                  .audience = a->conf->audience,
                                  .issuer = a->conf->issuer};
        claims = jwt_claims(buf_span(&token), &rules, now_s, why);
    }
    buf_fini(&token);
    return claims;
}
