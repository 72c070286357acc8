/* JSON Web Tokens: three parts in base64url with dots between, of which the third signs the others.
 */
#include "proto/jwt.h"

#include <string.h>

#include "base/crypto.h"
#include "base/signature.h"

enum { HMAC_BYTES = 32 };

static const char MALFORMED[] = "The token is malformed.";

bool jwt_unbase64url(struct span text, struct buf *out)
{
    struct buf standard = {0};
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (c == '+' || c == '/' || c == '=')
            break;
        buf_putc(&standard, c == '-' ? '+' : c == '_' ? '/' : c);
    }
    bool is_whole = standard.len == text.len && text.len % 4 != 1;
    while (standard.len % 4 != 0)
        buf_putc(&standard, '=');
    buf_clear(out);
    size_t room = standard.len / 4 * 3 + 1;
    ptrdiff_t n = -1;
    if (is_whole)
        n = crypto_unbase64(buf_span(&standard), buf_reserve(out, room), room);
    if (n >= 0)
        buf_commit(out, (size_t)n);
    buf_fini(&standard);
    return n >= 0;
}

/* A part that is a JSON object, or NULL. */
static struct gw_json *read_part(struct span text)
{
    struct buf json = {0};
    struct gw_json *v = NULL;
    if (jwt_unbase64url(text, &json))
        v = gw_json_parse_within(gw_bytes(json.at, json.len), JWT_BYTES_MAX, JWT_DEPTH_MAX, NULL,
                                 0);
    buf_fini(&json);
    if (v && gw_json_type(v) == GW_JSON_OBJECT)
        return v;
    gw_json_free(v);
    return NULL;
}

/* ---- the signature ---- */

static const char *wanted_alg(const struct jwt_rules *rules)
{
    if (!rules->key)
        return "HS256";
    return public_key_kind(rules->key) == SIGNATURE_RS256 ? "RS256" : "ES256";
}

/* RFC 7515 §4.1.11: who does not know what "crit" lists must refuse, and nothing is known here. */
static bool is_header_good(struct span part, const struct jwt_rules *rules)
{
    struct gw_json *header = read_part(part);
    bool is_good = header && strcmp(gw_json_str(header, "alg", ""), wanted_alg(rules)) == 0 &&
                   !gw_json_get(header, "crit");
    gw_json_free(header);
    return is_good;
}

static bool is_signed(struct span bytes, struct span part, const struct jwt_rules *rules)
{
    uint8_t mac[HMAC_BYTES];
    struct buf signature = {0};
    bool is_good = jwt_unbase64url(part, &signature);
    if (is_good && rules->key) {
        is_good = public_key_verify(rules->key, bytes, buf_span(&signature));
    } else if (is_good) {
        crypto_hmac_sha256(rules->secret, bytes, mac);
        is_good = crypto_is_equal(span_of(mac, sizeof(mac)), buf_span(&signature));
    }
    buf_fini(&signature);
    return is_good;
}

/* ---- the claims ---- */

/* A NumericDate (RFC 7519 §2) may have a fraction. false: it is no number or beyond reason. */
static bool read_date(const struct gw_json *claims, const char *name, int64_t *out)
{
    const struct gw_json *v = gw_json_get(claims, name);
    enum gw_json_type type = gw_json_type(v);
    double seconds = gw_json_as_real(v, -1);
    if ((type != GW_JSON_INT && type != GW_JSON_REAL) || !(seconds >= 0 && seconds < 1e15))
        return false;
    *out = (int64_t)seconds;
    return true;
}

/* §4.1.3: one text or an array of them. */
static bool is_for(const struct gw_json *claims, const char *audience)
{
    const struct gw_json *aud = gw_json_get(claims, "aud");
    if (strcmp(gw_json_as_str(aud, ""), audience) == 0)
        return true;
    for (size_t i = 0; i < gw_json_len(aud) && gw_json_type(aud) == GW_JSON_ARRAY; i++)
        if (strcmp(gw_json_as_str(gw_json_at(aud, i), ""), audience) == 0)
            return true;
    return false;
}

/* §4.1: why the claims do not hold now and here, or NULL. */
static const char *judge_claims(const struct gw_json *claims, const struct jwt_rules *rules,
                                int64_t now_s)
{
    int64_t at;
    if (!read_date(claims, "exp", &at))
        return "The token has no end (exp).";
    if (now_s >= at + rules->leeway_s)
        return "The token has expired.";
    if (gw_json_get(claims, "nbf") && !read_date(claims, "nbf", &at))
        return MALFORMED;
    if (gw_json_get(claims, "nbf") && now_s + rules->leeway_s < at)
        return "The token is not valid yet.";
    if (rules->audience && !is_for(claims, rules->audience))
        return "The token is for somebody else (aud).";
    if (rules->issuer && strcmp(gw_json_str(claims, "iss", ""), rules->issuer) != 0)
        return "The token is from somebody else (iss).";
    return NULL;
}

struct gw_json *jwt_claims(struct span token, const struct jwt_rules *rules, int64_t now_s,
                           const char **why)
{
    struct span rest = token;
    struct span header = span_cut(&rest, '.');
    struct span payload = span_cut(&rest, '.');
    *why = MALFORMED;
    if (token.len > JWT_BYTES_MAX || rest.len == 0 || span_find(rest, '.') >= 0 || payload.len == 0)
        return NULL;
    if (!is_header_good(header, rules))
        return NULL;
    *why = "The token's signature is wrong.";
    if (!is_signed(span_of(token.at, header.len + 1 + payload.len), rest, rules))
        return NULL;
    *why = MALFORMED;
    struct gw_json *claims = read_part(payload);
    if (!claims)
        return NULL;
    *why = judge_claims(claims, rules, now_s);
    if (!*why)
        return claims;
    gw_json_free(claims);
    return NULL;
}
