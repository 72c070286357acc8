/* Tokens of handshakes: where they are found, which are good, and which keys are usable. */
#include "gateway/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/crypto.h"
#include "gateway/gateway_conf.h"
#include "support/cert.h"
#include "support/tmpdir.h"

#define SECRET "0123456789abcdef0123456789abcdef"

enum { NOW_S = 1700000000, HEX_MAC = 64 };

static const struct conf_item query = {.text = "query:token"};
static const struct conf_item everywhere[] = {
    {.text = "header:Authorization"}, {.text = "cookie:sid"}, {.text = "query:t"}};

/* "UID.EXPIRES.SIGNATURE" signed with that secret, by the definition in docs/operations.md. */
static const char *signed_token(const char *secret, const char *text)
{
    static char out[2][400];
    static int turn;
    uint8_t mac[32];
    char *to = out[turn++ % 2];
    crypto_hmac_sha256(span_str(secret), span_str(text), mac);
    int n = snprintf(to, sizeof(out[0]), "%s.", text);
    for (size_t i = 0; i < sizeof(mac); i++)
        n += snprintf(to + n, sizeof(out[0]) - (size_t)n, "%02x", mac[i]);
    return to;
}

static struct http_request asking(const char *query_text, const char *name, const char *value)
{
    struct http_request r = {.query = span_str(query_text)};
    if (name)
        r.headers[r.headers_n++] =
            (struct http_header){.name = span_str(name), .value = span_str(value)};
    return r;
}

static void expect(const struct auth_conf *ac, const struct http_request *r, const char *uid,
                   const char *problem)
{
    struct auth a;
    struct span none = {0};
    const char *why = NULL;
    assert_int_equal(auth_open(&a, ac, &none), 0);
    struct gw_json *claims = auth_claims(&a, r, NOW_S, &why);
    if (uid) {
        if (!claims)
            fail_msg("%s", why);
        struct gw_bytes sub = gw_json_strn(claims, "sub");
        assert_true(span_is(span_of(sub.data, sub.len), uid));
    } else {
        assert_null(claims);
        assert_string_equal(why, problem);
    }
    gw_json_free(claims);
    auth_close(&a);
    auth_close(&a);
}

static struct auth_conf hmac_conf(const struct conf_item *from, size_t from_n)
{
    return (struct auth_conf){
        .kind = AUTH_HMAC, .key = SECRET, .from = {.at = from, .len = from_n}};
}

static void expect_token(const char *token, const char *uid, const char *problem)
{
    char text[500];
    struct auth_conf ac = hmac_conf(&query, 1);
    snprintf(text, sizeof(text), "a=b&token=%s&c", token);
    struct http_request r = asking(text, NULL, NULL);
    expect(&ac, &r, uid, problem);
}

static void a_signature_covers_uid_and_time(void **state)
{
    static const char wrong[] = "The token's signature is wrong.";
    char token[400];
    expect_token(signed_token(SECRET, "tom.1700000001"), "tom", NULL);
    expect_token(signed_token(SECRET, "t.o.m.1700000001"), "t.o.m", NULL); /* the last two dots */
    expect_token(signed_token(SECRET "x", "tom.1700000001"), NULL, wrong);
    snprintf(token, sizeof(token), "%s", signed_token(SECRET, "tom.1700000001"));
    token[0] = 'T';
    expect_token(token, NULL, wrong);
    token[0] = 't';
    token[strlen(token) - 1] ^= 1; /* another hex digit, or none */
    expect_token(token, NULL, wrong);
    token[strlen(token) - 1] = '\0';
    expect_token(token, NULL, wrong);
    expect_token("tom.1700000001.", NULL, wrong);
    expect_token("tom", NULL, wrong);
    expect_token(".", NULL, wrong);
}

static void well_signed_nonsense_is_none(void **state)
{
    static const char malformed[] = "The token is malformed.";
    expect_token(signed_token(SECRET, ".1700000001"), NULL, malformed);
    expect_token(signed_token(SECRET, "tom."), NULL, malformed);
    expect_token(signed_token(SECRET, "tom.soon"), NULL, malformed);
    expect_token(signed_token(SECRET, "tom.-1"), NULL, malformed);
    expect_token(signed_token(SECRET, "tom.18446744073709551616"), NULL, malformed);
    expect_token(signed_token(SECRET, "tom.9223372036854775807"), NULL, malformed); /* + leeway */
    expect_token(signed_token(SECRET, "1700000001"), NULL, malformed);
}

static void it_ends_to_the_second(void **state)
{
    struct auth_conf ac = hmac_conf(&query, 1);
    char text[500];
    expect_token(signed_token(SECRET, "tom.1700000000"), NULL, "The token has expired.");
    expect_token(signed_token(SECRET, "tom.0"), NULL, "The token has expired.");
    ac.leeway_ms = 1999; /* a second and some */
    snprintf(text, sizeof(text), "token=%s", signed_token(SECRET, "tom.1700000000"));
    struct http_request r = asking(text, NULL, NULL);
    expect(&ac, &r, "tom", NULL);
    snprintf(text, sizeof(text), "token=%s", signed_token(SECRET, "tom.1699999999"));
    r = asking(text, NULL, NULL);
    expect(&ac, &r, NULL, "The token has expired.");
}

static void the_uid_is_text(void **state)
{
    char text[500];
    struct auth_conf ac = hmac_conf(&query, 1);
    snprintf(text, sizeof(text), "token=%s", signed_token(SECRET, "\xff.1700000001"));
    struct http_request r = asking(text, NULL, NULL);
    expect(&ac, &r, NULL, "The token is not UTF-8.");
    snprintf(text, sizeof(text), "token=%s", signed_token(SECRET, "t m.1700000001"));
    text[7] = '+'; /* as a form field writes a blank */
    r = asking(text, NULL, NULL);
    expect(&ac, &r, "t m", NULL);
}

static void a_broken_escape_is_no_token(void **state)
{
    char text[500];
    static const char *const ends[] = {"%", "%4", "%zz"};
    struct auth_conf ac = hmac_conf(&query, 1);
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        snprintf(text, sizeof(text), "token=%s%s", signed_token(SECRET, "tom.1700000001"), ends[i]);
        struct http_request r = asking(text, NULL, NULL);
        expect(&ac, &r, NULL, "A token is needed here.");
    }
}

/* The first place that has something counts, good or not. */
static void the_first_place_counts(void **state)
{
    struct auth_conf ac = hmac_conf(everywhere, ARRAY_LEN(everywhere));
    char text[500], line[500];
    snprintf(text, sizeof(text), "t=%s", signed_token(SECRET, "q.1700000001"));
    struct http_request r = asking(text, "Cookie", "other=1; sid=; x");
    expect(&ac, &r, "q", NULL); /* an empty cookie is none */
    snprintf(line, sizeof(line), "a=b;  sid = %s ; z", signed_token(SECRET, "c.1700000001"));
    r = asking(text, "cookie", line);
    r.headers[1] = (struct http_header){.name = span_str("X"), .value = span_str("y")};
    r.headers_n = 2;
    snprintf(line, sizeof(line), "a=b; sid=%s", signed_token(SECRET, "c.1700000001"));
    r.headers[0].value = span_str(line);
    expect(&ac, &r, "c", NULL);
    r = asking(text, "authorization", "Bearer nonsense");
    expect(&ac, &r, NULL, "The token's signature is wrong.");
    snprintf(line, sizeof(line), "bEARER  %s ", signed_token(SECRET, "h.1700000001"));
    r = asking(text, "authorization", line);
    expect(&ac, &r, "h", NULL);
    snprintf(line, sizeof(line), "%s", signed_token(SECRET, "h.1700000001"));
    r = asking(text, "authorization", line);
    expect(&ac, &r, "h", NULL); /* the scheme may be left out */
    r = asking("T=1&to", NULL, NULL);
    expect(&ac, &r, NULL, "A token is needed here.");
}

static void a_header_may_have_a_long_name(void **state)
{
    static const char place[] = "header:X-Forwarded-By-The-Gateway-Of-The-Company-With-A-Token-Of-"
                                "Whoever-Has-Signed-In";
    struct conf_item from = {.text = place};
    struct auth_conf ac = hmac_conf(&from, 1);
    struct http_request r =
        asking("", place + strlen("header:"), signed_token(SECRET, "l.1700000001"));
    expect(&ac, &r, "l", NULL);
}

/* ---- keys in files ---- */

static void check_key_file(int kind, const char *content, const char *problem)
{
    struct tmpdir dir = tmpdir_make();
    struct buf credentials = {0}, errors = {0};
    struct conf *conf = NULL;
    const struct conf_table *tables[] = {&gateway_conf_table};
    const char *path = tmpdir_write(&dir, "t.conf",
                                    "[gateway t]\nlisten = text://127.0.0.1:1\n"
                                    "register_address = 127.0.0.1:1236\n");
    assert_int_equal(conf_load(path, tables, 1, &errors, &conf), 0);
    struct auth_conf ac = {.kind = kind, .key_file = "key"};
    if (content)
        tmpdir_write(&dir, "key", content);
    int rc = auth_read(conf, conf_section_at(conf, 0), &ac, &credentials, &errors);
    assert_int_equal(rc, problem ? GW_ECONF : 0);
    if (problem && !strstr(buf_cstr(&errors), problem))
        fail_msg("\"%s\" lacks \"%s\"", buf_cstr(&errors), problem);
    assert_int_equal(credentials.len > 0, !problem);
    struct auth a;
    struct span rest = buf_span(&credentials);
    assert_int_equal(auth_open(&a, &ac, &rest), rc); /* what was refused did not arrive */
    assert_int_equal(rest.len, 0);
    auth_close(&a);
    conf_free(conf);
    buf_fini(&credentials);
    buf_fini(&errors);
    tmpdir_remove(&dir);
}

static void keys_are_judged_when_they_are_read(void **state)
{
    struct cert cert;
    cert_make(&cert, "issuer.example", NULL, 3600);
    check_key_file(AUTH_HMAC, SECRET "\n", NULL);
    check_key_file(AUTH_HMAC, SECRET, NULL);
    check_key_file(AUTH_JWT, SECRET "\r\n", NULL);
    check_key_file(AUTH_JWT, cert.cert_pem, NULL);
    check_key_file(AUTH_HMAC, "", "at least 32 bytes");
    check_key_file(AUTH_HMAC, "0123456789abcdef0123456789abcde \n", "at least 32 bytes");
    check_key_file(AUTH_HMAC, cert.cert_pem, "hmac needs a secret, not a public key");
    check_key_file(AUTH_JWT, "-----BEGIN PUBLIC KEY-----\nbroken", "key");
    check_key_file(AUTH_JWT, NULL, "No such file");
}

/* Several sections read one after the other; each cuts its own part off. */
static void each_takes_its_own_part(void **state)
{
    struct auth_conf none = {.kind = AUTH_NONE, .key_file = "x"}, worker = {.kind = AUTH_WORKER};
    struct span rest = span_str("untouched");
    struct auth a;
    assert_int_equal(auth_open(&a, &none, &rest), 0);
    auth_close(&a);
    assert_int_equal(auth_open(&a, &worker, &rest), 0);
    auth_close(&a);
    assert_true(span_is(rest, "untouched"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_covers_uid_and_time),
        cmocka_unit_test(well_signed_nonsense_is_none),
        cmocka_unit_test(it_ends_to_the_second),
        cmocka_unit_test(the_uid_is_text),
        cmocka_unit_test(a_broken_escape_is_no_token),
        cmocka_unit_test(the_first_place_counts),
        cmocka_unit_test(a_header_may_have_a_long_name),
        cmocka_unit_test(keys_are_judged_when_they_are_read),
        cmocka_unit_test(each_takes_its_own_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
