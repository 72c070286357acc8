/* peer_tls_conf and peer_tls: keys that fit, keys that do not, and whom a dialled host may be. */
#include "net/peer_tls_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "net/tls.h"
#include "support/cert.h"
#include "support/tmpdir.h"

struct role_conf {
    struct peer_tls_conf tls;
};

static const struct conf_key keys[] = {PEER_TLS_CONF_KEYS(struct role_conf, tls)};
static const struct conf_table table = {.kind = "registry",
                                        .keys = keys,
                                        .keys_n = ARRAY_LEN(keys),
                                        .conf_bytes = sizeof(struct role_conf)};
static const struct conf_table *const tables[] = {&table};

static struct tmpdir dir;

static int setup(void **state)
{
    struct cert one, two;
    dir = tmpdir_make();
    cert_make(&one, "one.test", NULL, 100 * 24 * 3600);
    cert_make(&two, "two.test", NULL, 100 * 24 * 3600);
    tmpdir_write(&dir, "one.pem", one.cert_pem);
    tmpdir_write(&dir, "one.key", one.key_pem);
    tmpdir_write(&dir, "two.key", two.key_pem);
    return 0;
}

static int teardown(void **state)
{
    tmpdir_remove(&dir);
    return 0;
}

#define FILES(cert, key, ca)                                                                       \
    "inner_tls_cert = " cert "\ninner_tls_key = " key "\ninner_tls_ca = " ca "\n"

static struct conf *load(const char *lines)
{
    struct buf errors = {0};
    struct conf *conf;
    char text[1024];
    snprintf(text, sizeof text, "[registry]\n%s", lines);
    if (conf_load(tmpdir_write(&dir, "test.conf", text), tables, 1, &errors, &conf) < 0)
        fail_msg("%s", buf_cstr(&errors));
    return conf;
}

static int read_it(struct conf *conf, struct buf *credentials, struct buf *errors)
{
    const struct conf_section *s = conf_section_at(conf, 0);
    const struct role_conf *c = s->conf;
    return peer_tls_read(conf, s, &c->tls, credentials, errors);
}

static void what_is_read_opens(void **state)
{
    struct conf *conf = load("inner_tls = optional\n" FILES("one.pem", "one.key", "one.pem"));
    const struct role_conf *c = conf_section_at(conf, 0)->conf;
    struct buf credentials = {0}, errors = {0};
    struct peer_tls t = {0};
    assert_int_equal(read_it(conf, &credentials, &errors), 0);
    struct span rest = buf_span(&credentials);
    assert_int_equal(peer_tls_open(&t, &c->tls, &rest), 0);
    assert_int_equal(rest.len, 0);
    assert_int_equal(t.mode, PEER_TLS_OPTIONAL);
    /* Cut short it opens nothing, and what was open stays. */
    struct tls_context *before = t.accepting;
    for (size_t len = 0; len < credentials.len; len += 97) {
        rest = span_of(credentials.at, len);
        assert_int_equal(peer_tls_open(&t, &c->tls, &rest), GW_ECONF);
        assert_ptr_equal(t.accepting, before);
    }
    peer_tls_close(&t);
    peer_tls_close(&t);
    buf_fini(&credentials);
    conf_free(conf);
}

static void off_is_plain(void **state)
{
    struct conf *conf = load("");
    const struct role_conf *c = conf_section_at(conf, 0)->conf;
    struct buf credentials = {0}, errors = {0};
    const struct transport *transport;
    void *transport_state;
    struct peer_tls t = {0};
    assert_int_equal(read_it(conf, &credentials, &errors), 0);
    assert_int_equal(credentials.len, 0);
    struct span rest = buf_span(&credentials);
    assert_int_equal(peer_tls_open(&t, &c->tls, &rest), 0);
    assert_int_equal(peer_tls_dial(&t, "127.0.0.1:1", &transport, &transport_state), 0);
    assert_ptr_equal(transport, &plain_transport);
    assert_int_equal(peer_tls_dial(NULL, "127.0.0.1:1", &transport, &transport_state), 0);
    assert_ptr_equal(transport, &plain_transport);
    assert_null(transport_state);
    conf_free(conf);
}

static void hosts_of_every_form(void **state)
{
    static const char *const good[] = {"127.0.0.1:2300", "[::1]:2300", "::1",
                                       "10.0.0.1",       "a.test:1",   "a.test"};
    struct conf *conf = load("inner_tls = required\n" FILES("one.pem", "one.key", "one.pem"));
    const struct role_conf *c = conf_section_at(conf, 0)->conf;
    struct buf credentials = {0}, errors = {0};
    struct peer_tls t = {0};
    char long_name[400];
    const struct transport *transport;
    void *transport_state;
    assert_int_equal(read_it(conf, &credentials, &errors), 0);
    struct span rest = buf_span(&credentials);
    assert_int_equal(peer_tls_open(&t, &c->tls, &rest), 0);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        assert_int_equal(peer_tls_dial(&t, good[i], &transport, &transport_state), 0);
        assert_ptr_equal(transport, &tls_transport);
        transport->free(transport_state);
    }
    memset(long_name, 'a', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_true(peer_tls_dial(&t, long_name, &transport, &transport_state) < 0);
    peer_tls_close(&t);
    buf_fini(&credentials);
    conf_free(conf);
}

static void complaints_name_the_key(void **state)
{
    static const struct {
        const char *lines, *want;
    } bad[] = {
        {"inner_tls = required\n", "inner_tls: needs inner_tls_cert, inner_tls_key and"},
        {FILES("one.pem", "one.key", "one.pem"), "inner_tls: is off, so the other"},
        {"inner_tls_name = a\n", "inner_tls: is off, so the other"},
        {"inner_tls = required\n" FILES("no.pem", "one.key", "one.pem"),
         "inner_tls_cert: no.pem: No such"},
        {"inner_tls = required\n" FILES("one.key", "one.key", "one.pem"),
         "inner_tls_cert: no certificate"},
        {"inner_tls = required\n" FILES("one.pem", "two.key", "one.pem"),
         "inner_tls_key: the key does not belong to the certificate"},
        {"inner_tls = required\n" FILES("one.pem", "one.key", "one.key"),
         "inner_tls_ca: no certificate"},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct conf *conf = load(bad[i].lines);
        struct buf credentials = {0}, errors = {0};
        assert_int_equal(read_it(conf, &credentials, &errors), GW_ECONF);
        assert_int_equal(credentials.len, 0);
        if (!strstr(buf_cstr(&errors), bad[i].want))
            fail_msg("\"%s\" is not in: %s", bad[i].want, buf_cstr(&errors));
        buf_fini(&errors);
        conf_free(conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_opens),
        cmocka_unit_test(off_is_plain),
        cmocka_unit_test(hosts_of_every_form),
        cmocka_unit_test(complaints_name_the_key),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
