/* tls_conf: what the keys may name, and whose fault it is when they do not fit. */
#include "net/tls_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/mem.h"
#include "support/cert.h"
#include "support/tmpdir.h"

struct role_conf {
    struct tls_conf tls;
};

static const struct conf_key keys[] = {TLS_CONF_KEYS(struct role_conf, tls)};
static const struct conf_table table = {
    .kind = "web", .keys = keys, .keys_n = ARRAY_LEN(keys), .conf_bytes = sizeof(struct role_conf)};
static const struct conf_table *const tables[] = {&table};

static struct tmpdir dir;
static struct cert one, two;

static int setup(void **state)
{
    dir = tmpdir_make();
    cert_make(&one, "one.test", NULL, 100 * 24 * 3600);
    cert_make(&two, "two.test", NULL, 100 * 24 * 3600);
    tmpdir_write(&dir, "one.pem", one.cert_pem);
    tmpdir_write(&dir, "one.key", one.key_pem);
    tmpdir_write(&dir, "two.pem", two.cert_pem);
    tmpdir_write(&dir, "two.key", two.key_pem);
    tmpdir_write(&dir, "empty", "");
    char *large = mem_alloc((1 << 20) + 2);
    memset(large, 'x', (1 << 20) + 1);
    large[(1 << 20) + 1] = '\0';
    tmpdir_write(&dir, "large", large);
    mem_free(large);
    return 0;
}

static int teardown(void **state)
{
    tmpdir_remove(&dir);
    return 0;
}

struct reading {
    struct conf *conf;
    const struct conf_section *section;
    struct buf credentials, errors;
    int rc;
};

static struct reading read_keys(const char *lines)
{
    struct reading r = {0};
    char text[1024];
    snprintf(text, sizeof text, "[web]\n%s", lines);
    if (conf_load(tmpdir_write(&dir, "test.conf", text), tables, 1, &r.errors, &r.conf) < 0)
        fail_msg("%s", buf_cstr(&r.errors));
    r.section = conf_section_at(r.conf, 0);
    r.rc = tls_conf_read(r.conf, r.section, r.section->conf, &r.credentials, &r.errors);
    return r;
}

static void reading_fini(struct reading *r)
{
    buf_fini(&r->credentials);
    buf_fini(&r->errors);
    conf_free(r->conf);
}

static int open_it(const struct role_conf *c, struct span credentials, struct tls_context **out)
{
    return tls_conf_open(&c->tls, &credentials, out);
}

#define PAIR_ONE "tls_cert = one.pem\ntls_key = one.key\n"

static void good_ones_open(void **state)
{
    static const char *const good[] = {
        PAIR_ONE,
        PAIR_ONE "tls_cert = two.pem\ntls_key = two.key\n",
        PAIR_ONE "tls_verify = optional\ntls_client_ca = two.pem\n",
        PAIR_ONE "tls_min_version = 1.3\ntls_kernel = on\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct reading r = read_keys(good[i]);
        const struct role_conf *c = r.section->conf;
        struct tls_context *ctx;
        if (r.rc < 0)
            fail_msg("%s: %s", good[i], buf_cstr(&r.errors));
        assert_int_equal(open_it(c, buf_span(&r.credentials), &ctx), 0);
        assert_non_null(ctx);
        tls_context_unref(ctx);
        /* Cut short on the way, they are no credentials. */
        for (size_t len = 0; len < r.credentials.len; len += 997) {
            assert_int_equal(open_it(c, span_of(r.credentials.at, len), &ctx), GW_ECONF);
            assert_null(ctx);
        }
        reading_fini(&r);
    }
}

static void off_is_fine(void **state)
{
    struct reading r = read_keys("");
    const struct role_conf *c = r.section->conf;
    struct tls_context *ctx;
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.credentials.len, 0);
    assert_int_equal(open_it(c, buf_span(&r.credentials), &ctx), 0);
    assert_null(ctx);
    reading_fini(&r);
}

static void complaints_name_the_line(void **state)
{
    static const struct {
        const char *lines;
        const char *want;
    } bad[] = {
        {"tls_cert = one.pem\n", "test.conf:2: [web] tls_cert: each tls_cert needs a tls_key"},
        {"tls_key = one.key\n", "test.conf:2: [web] tls_key: each tls_cert needs a tls_key"},
        {"tls_cert = one.pem\ntls_key = two.key\n",
         "test.conf:3: [web] tls_key: two.key: the key does not belong to the certificate"},
        {PAIR_ONE "tls_cert = two.pem\ntls_key = one.key\n",
         "test.conf:5: [web] tls_key: one.key: the key does not belong to the certificate"},
        {"tls_cert = empty\ntls_key = one.key\n", "test.conf:2: [web] tls_cert: empty: no certifi"},
        {"tls_cert = one.pem\ntls_key = empty\n", "test.conf:3: [web] tls_key: empty: no private"},
        {"tls_cert = no.pem\ntls_key = one.key\n", "test.conf:2: [web] tls_cert: no.pem: No such"},
        {"tls_cert = .\ntls_key = one.key\n", "test.conf:2: [web] tls_cert: .: Is a directory"},
        {"tls_cert = large\ntls_key = one.key\n", "test.conf:2: [web] tls_cert: large: File too"},
        {PAIR_ONE "tls_verify = required\n", "test.conf:4: [web] tls_verify: needs tls_client_ca"},
        {PAIR_ONE "tls_verify = required\ntls_client_ca = one.key\n",
         "test.conf:5: [web] tls_client_ca: one.key: no certificate"},
        {PAIR_ONE "tls_client_ca = one.pem\n",
         "test.conf:4: [web] tls_client_ca: has no effect with tls_verify = none; write required"},
        {"tls_client_ca = one.pem\n", "test.conf:2: [web] tls_client_ca: has no effect"},
        {PAIR_ONE "tls_ciphers = NOTHING\n", "test.conf:4: [web] tls_ciphers: NOTHING: OpenSSL"},
        {PAIR_ONE "tls_ciphersuites = NO\n", "test.conf:4: [web] tls_ciphersuites: NO: OpenSSL"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct reading r = read_keys(bad[i].lines);
        if (r.rc != GW_ECONF || !strstr(buf_cstr(&r.errors), bad[i].want))
            fail_msg("row %zu: %d %s", i, r.rc, buf_cstr(&r.errors));
        reading_fini(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones_open),
        cmocka_unit_test(off_is_fine),
        cmocka_unit_test(complaints_name_the_line),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
