/* The [cluster] section: what is refused, by which line, and what a connection is made from. */
#include "cluster/cluster_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "cluster/subject.h"
#include "proc/role.h"
#include "support/tmpdir.h"

static struct tmpdir dir;

static int set_up(void **state)
{
    dir = tmpdir_make();
    tmpdir_write(&dir, "file", "x");
    return 0;
}

static int tear_down(void **state)
{
    tmpdir_remove(&dir);
    return 0;
}

static int load(const char *lines, struct buf *errors, struct conf **out)
{
    static const struct conf_table *const tables[] = {&cluster_table};
    char text[1000];
    snprintf(text, sizeof(text), "[cluster]\n%s", lines);
    return conf_load(tmpdir_write(&dir, "t.conf", text), tables, 1, errors, out);
}

static void refused(const char *lines, const char *words)
{
    struct buf errors = {0};
    struct conf *conf;
    if (load(lines, &errors, &conf) != GW_ECONF)
        fail_msg("accepted: %s", lines);
    if (!strstr(buf_cstr(&errors), words))
        fail_msg("\"%s\" lacks \"%s\"", buf_cstr(&errors), words);
    buf_fini(&errors);
}

static struct conf *accepted(const char *lines)
{
    struct buf errors = {0};
    struct conf *conf;
    if (load(lines, &errors, &conf) < 0)
        fail_msg("%s", buf_cstr(&errors));
    buf_fini(&errors);
    return conf;
}

#define NATS "nats = nats://127.0.0.1\n"

static void addresses_are_of_nats(void **state)
{
    refused("", "nats");
    refused("nats = 127.0.0.1:4222\n", "t.conf:2: [cluster] nats: is no address of a NATS server");
    refused("nats = http://127.0.0.1\n", "is no address");
    refused("nats = nats://\n", "is no address");
    refused(NATS "nats = xnats://a\n", "t.conf:3: ");
    conf_free(accepted(NATS "nats = tls://b:1\n"));
}

/* It stands in every subject: docs/cluster.md. */
static void the_name_is_part_of_a_subject(void **state)
{
    static const char *const bad[] = {"a b", ".a", "a.", "a..b", "a.*", "a.>", "\xc3\xa4", "a/b"};
    char lines[SUBJECT_PREFIX_MAX + 100];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        snprintf(lines, sizeof(lines), NATS "name = %s\n", bad[i]);
        refused(lines, "t.conf:3: [cluster] name: write letters");
    }
    snprintf(lines, sizeof(lines), NATS "name = %0*d\n", SUBJECT_PREFIX_MAX, 1);
    conf_free(accepted(lines));
    snprintf(lines, sizeof(lines), NATS "name = %0*d\n", SUBJECT_PREFIX_MAX + 1, 1);
    refused(lines, "name");
    conf_free(accepted(NATS "name = a.b-c.D_9\n"));
}

static void halves_of_pairs_are_refused(void **state)
{
    refused(NATS "tls_cert = file\n", "tls_cert: needs tls_key, too");
    refused(NATS "tls_key = file\n", "tls_key: needs tls_cert, too");
    refused(NATS "nkey = U\n", "nkey: needs nkey_seed, too");
    refused(NATS "nkey_seed = file\n", "nkey_seed: needs nkey, too");
    refused(NATS "password = p\n", "password: needs user, too");
    refused(NATS "credentials = absent\n", "credentials: cannot be read");
    refused(NATS "tls_ca = absent\n", "tls_ca: cannot be read");
    conf_free(accepted(NATS "tls_cert = file\ntls_key = file\nuser = u\npassword = p\n"
                            "nkey = U\nnkey_seed = file\ncredentials = file\ntls_ca = file\n"));
}

/* A tls:// among the servers means TLS to all: a password must not go out beside it in the clear.
 */
static void one_tls_address_means_tls(void **state)
{
    static const struct role role = {.kind = "worker"};
    static const struct conf_section section = {.name = "chat"};
    struct nats_conf nc;
    char label[CLUSTER_LABEL_MAX];
    struct conf *conf = accepted(NATS "nats = tls://b\ncredentials = file\n");
    struct role_env env = {.conf = conf, .role = &role, .section = &section, .slot = 3};
    cluster_conf_nats(cluster_conf_of(conf), &env, label, &nc);
    assert_true(nc.is_tls);
    assert_string_equal(nc.label, "gatehouse worker chat #3");
    assert_string_equal(nc.credentials_file, tmpdir_path(&dir, "file"));
    assert_null(nc.tls_ca);
    assert_int_equal(nc.buffer_bytes, 32 << 20);
    conf_free(conf);
    conf = accepted(NATS);
    env.conf = conf;
    cluster_conf_nats(cluster_conf_of(conf), &env, label, &nc);
    assert_false(nc.is_tls);
    conf_free(conf);
    assert_null(cluster_conf_of(NULL));
}

#define CONF_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(addresses_are_of_nats),
        CONF_TEST(the_name_is_part_of_a_subject),
        CONF_TEST(halves_of_pairs_are_refused),
        CONF_TEST(one_tls_address_means_tls),
    };
    if (!nats_is_built())
        return 0; /* then every such section is refused, with one sentence */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
