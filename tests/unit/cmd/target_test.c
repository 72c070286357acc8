/* Where push and query go: options that are refused, secrets from files, and configs that tell. */
#include "cmd/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/tmpdir.h"

static struct tmpdir dir;

static int set_up(void **state)
{
    dir = tmpdir_make();
    unsetenv("GATEHOUSE_SECRET");
    return chdir(dir.path); /* no gatehouse.conf is found there */
}

static int tear_down(void **state)
{
    assert_int_equal(chdir("/"), 0);
    tmpdir_remove(&dir);
    return 0;
}

/* Whether it can be opened; nothing is connected by that. */
static bool opens(const struct target *t)
{
    struct gw *gw = target_open(t);
    bool is_open = gw != NULL;
    if (gw)
        gw_close(gw);
    return is_open;
}

static void times_are_seconds(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"5", 5000}, {"0.001", 1}, {"1.5", 1500}, {"86400", 86400000}, {"1e1", 10000}};
    static const char *const bad[] = {"", "0", "-1", "0.0001", "86401", "5s", "nan", "inf", "x"};
    struct target t = {0};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_int_equal(target_option(&t, TARGET_TIMEOUT, good[i].text), TARGET_TAKEN);
        assert_int_equal(t.timeout_ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (target_option(&t, TARGET_TIMEOUT, bad[i]) != TARGET_BAD)
            fail_msg("\"%s\" is taken for a time", bad[i]);
    assert_int_equal(t.timeout_ms, 10000); /* what is refused changes nothing */
}

static void a_secret_is_no_word_of_a_command_line(void **state)
{
    struct target t = {0};
    assert_int_equal(target_option(&t, TARGET_SECRET, "s"), TARGET_BAD);
    assert_int_equal(target_option(&t, TARGET_SECRET_FILE, "f"), TARGET_TAKEN);
    assert_int_equal(target_option(&t, 'x', "f"), TARGET_FOREIGN);
    assert_int_equal(target_option(&t, '?', NULL), TARGET_FOREIGN);
}

static void registries_are_host_and_port(void **state)
{
    struct target t = {0};
    assert_true(opens(&t)); /* the default */
    t.registry = "127.0.0.1:1236,registry.example:1236";
    assert_true(opens(&t));
    t.registry = "127.0.0.1";
    assert_false(opens(&t));
    t.registry = "";
    assert_false(opens(&t));
}

static void the_secrets_file_must_be_readable(void **state)
{
    static char large[5000];
    struct target t = {.registry = "127.0.0.1:1236", .secret_file = "absent"};
    assert_false(opens(&t));
    t.secret_file = tmpdir_write(&dir, "secret", "one\r\ntwo\n");
    assert_true(opens(&t));
    memset(large, 'x', sizeof(large) - 1);
    t.secret_file = tmpdir_write(&dir, "large", large);
    assert_false(opens(&t)); /* rather than with a part of it */
    t.secret_file = dir.path;
    assert_false(opens(&t));
}

static void a_config_that_was_named_must_tell(void **state)
{
    struct target t = {.conf_file = "absent.conf", .registry = "127.0.0.1:1236"};
    assert_false(opens(&t)); /* also when the address is given: the secret is not */
    t.registry = NULL;
    t.conf_file = tmpdir_write(&dir, "web.conf", "[web]\nroot = .\n");
    assert_false(opens(&t));
    t.conf_file = tmpdir_write(&dir, "bad.conf", "[gateway x]\nlisten\n");
    assert_false(opens(&t));
    t.conf_file = tmpdir_write(&dir, "good.conf",
                               "[web]\nroot = .\n[gateway x]\nlisten = text://127.0.0.1:1\n");
    assert_true(opens(&t));
    t.conf_file =
        tmpdir_write(&dir, "worker.conf", "[worker]\nevents = absent.c\nregister_address = a:1\n");
    assert_true(opens(&t));
}

static void files_for_tls_must_be_there(void **state)
{
    struct target t = {.registry = "127.0.0.1:1236", .tls_ca = "absent.pem"};
    assert_false(opens(&t));
    t.tls_ca = tmpdir_write(&dir, "ca.pem", "no certificate");
    assert_false(opens(&t));
}

#define TARGET_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TARGET_TEST(times_are_seconds),
        TARGET_TEST(a_secret_is_no_word_of_a_command_line),
        TARGET_TEST(registries_are_host_and_port),
        TARGET_TEST(the_secrets_file_must_be_readable),
        TARGET_TEST(a_config_that_was_named_must_tell),
        TARGET_TEST(files_for_tls_must_be_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
