/* Tokens: the examples of RFC 7515, and what must not get through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/signature.h"
#include "proto/jwt.h"

/* RFC 7515 appendix A.1: header, payload (iss joe, exp 1300819380), HMAC-SHA-256. */
#define PAYLOAD                                                                                    \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
#define A1_HEADER "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
#define A1_SIGNATURE "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define A1_KEY                                                                                     \
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
/* Appendix A.3: ES256, its key as PEM. */
#define A3                                                                                         \
    "eyJhbGciOiJFUzI1NiJ9." PAYLOAD                                                                \
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define A3_KEY                                                                                     \
    "-----BEGIN PUBLIC KEY-----\n"                                                                 \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"                           \
    "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"                               \
    "-----END PUBLIC KEY-----\n"

enum { BEFORE = 1300819000, END = 1300819380 };

static const char a1[] = A1_HEADER "." PAYLOAD "." A1_SIGNATURE;

static void expect(const char *token, const struct jwt_rules *rules, int64_t now_s,
                   const char *problem)
{
    const char *why = "nothing was said";
    struct gw_json *claims = jwt_claims(span_str(token), rules, now_s, &why);
    if (!claims != (problem != NULL))
        fail_msg("%s: %s", token, claims ? "taken" : why);
    if (problem)
        assert_string_equal(why, problem);
    else
        assert_string_equal(gw_json_str(claims, "iss", ""), "joe");
    gw_json_free(claims);
}

static void test_hs256(void **unused)
{
    struct buf secret = {0};
    assert_true(jwt_unbase64url(span_str(A1_KEY), &secret));
    assert_int_equal(secret.len, 64);
    struct jwt_rules rules = {.secret = buf_span(&secret)};
    expect(a1, &rules, BEFORE, NULL);
    expect(a1, &rules, END - 1, NULL);
    expect(a1, &rules, END, "The token has expired.");
    rules.leeway_s = 10;
    expect(a1, &rules, END + 9, NULL);
    expect(a1, &rules, END + 10, "The token has expired.");
    rules.issuer = "joe";
    expect(a1, &rules, BEFORE, NULL);
    rules.issuer = "jo";
    expect(a1, &rules, BEFORE, "The token is from somebody else (iss).");
    rules.issuer = NULL;
    rules.audience = "chat";
    expect(a1, &rules, BEFORE, "The token is for somebody else (aud).");
    buf_fini(&secret);
}

static void test_es256(void **unused)
{
    const char *why;
    struct public_key *key = public_key_new(span_str(A3_KEY), &why);
    assert_non_null(key);
    struct jwt_rules rules = {.key = key};
    expect(A3, &rules, BEFORE, NULL);
    expect(a1, &rules, BEFORE, "The token is malformed."); /* another alg than the key's */
    /* The public key as a secret: who knows it may not sign with it. */
    struct jwt_rules secret = {.secret = span_str(A3_KEY)};
    expect(A3, &secret, BEFORE, "The token is malformed.");
    public_key_free(key);
}

static void test_wrong_ones(void **unused)
{
    struct jwt_rules rules = {.secret = span_str("0123456789abcdef0123456789abcdef")};
    static const char *const malformed[] = {
        "",
        ".",
        "..",
        "a.b.c",
        A1_HEADER,
        A1_HEADER "." PAYLOAD,
        A1_HEADER "." PAYLOAD ".",
        A1_HEADER "." PAYLOAD "." A1_SIGNATURE ".",
        A1_HEADER ".." A1_SIGNATURE,
        "." PAYLOAD "." A1_SIGNATURE,
        "eyJhbGciOiJub25lIn0." PAYLOAD ".AA", /* {"alg":"none"} */
        "W10." PAYLOAD "." A1_SIGNATURE,      /* [] */
        A1_HEADER "=." PAYLOAD "." A1_SIGNATURE,
    };
    for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
        expect(malformed[i], &rules, BEFORE, "The token is malformed.");
    expect(a1, &rules, BEFORE, "The token's signature is wrong.");
    expect(A1_HEADER "." PAYLOAD ".AAAA", &rules, BEFORE, "The token's signature is wrong.");
    expect(A1_HEADER "." PAYLOAD ".+/==", &rules, BEFORE, "The token's signature is wrong.");
}

static void test_size_is_bounded(void **unused)
{
    struct buf token = {0};
    struct jwt_rules rules = {.secret = span_str("x")};
    buf_puts(&token, A1_HEADER ".");
    while (token.len < JWT_BYTES_MAX)
        buf_putc(&token, 'A');
    buf_puts(&token, "." A1_SIGNATURE);
    expect(buf_cstr(&token), &rules, BEFORE, "The token is malformed.");
    buf_fini(&token);
}

static void test_base64url(void **unused)
{
    struct buf out = {0};
    assert_true(jwt_unbase64url(span_str("-_8"), &out));
    assert_int_equal(out.len, 2);
    assert_memory_equal(out.at, "\xfb\xff", 2);
    assert_true(jwt_unbase64url(span_str(""), &out));
    assert_int_equal(out.len, 0);
    assert_false(jwt_unbase64url(span_str("A"), &out));
    assert_false(jwt_unbase64url(span_str("AA=="), &out));
    assert_false(jwt_unbase64url(span_str("+/8"), &out));
    assert_false(jwt_unbase64url(span_str("A A"), &out));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hs256),      cmocka_unit_test(test_es256),
        cmocka_unit_test(test_wrong_ones), cmocka_unit_test(test_size_is_bounded),
        cmocka_unit_test(test_base64url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
