/* registry_conf: defaults, and the complaints that must stop a start. */
#include "registry/registry_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "support/tmpdir.h"

static const struct conf_table *const tables[] = {&registry_conf_table};

/* Loads the text as a config file and checks its only section. NULL when it is good, else the
 * complaints, which the caller frees. */
static char *complaints_of(const char *text)
{
    struct tmpdir dir = tmpdir_make();
    struct buf errors = {0};
    struct conf *conf = NULL;
    int rc = conf_load(tmpdir_write(&dir, "test.conf", text), tables, 1, &errors, &conf);

    if (rc == 0)
        rc = registry_conf_check(conf, conf_section_at(conf, 0), &errors);
    conf_free(conf);
    tmpdir_remove(&dir);
    assert_int_equal(rc == 0, errors.len == 0);
    char *said = rc == 0 ? NULL : strdup(buf_cstr(&errors));
    buf_fini(&errors);
    return said;
}

static void assert_good(const char *text)
{
    char *said = complaints_of(text);

    if (said)
        fail_msg("%s\nis refused: %s", text, said);
}

static void assert_refused(const char *text, const char *part)
{
    char *said = complaints_of(text);

    assert_non_null(said);
    if (!strstr(said, part))
        fail_msg("\"%s\" is not in: %s", part, said);
    free(said);
}

static void loopback_needs_no_key(void **state)
{
    assert_good("[registry]\n");
    assert_good("[registry]\nlisten = text://127.0.0.1:1236\n");
    assert_good("[registry]\nlisten = text://[::1]:1236\n");
    assert_good("[registry two]\nlisten = text:///run/registry.sock\nname = second\n");
}

static void other_hosts_need_a_key_or_a_word(void **state)
{
    assert_refused("[registry]\nlisten = text://0.0.0.0:1236\n", "set secret_key");
    assert_refused("[registry]\nlisten = text://10.0.0.1:1236\n", "insecure = true");
    assert_refused("[registry]\n\nlisten = text://10.0.0.1:1236\n", ":3: ");
    assert_good("[registry]\nlisten = text://0.0.0.0:1236\nsecret_key = s\n");
    assert_good("[registry]\nlisten = text://0.0.0.0:1236\ninsecure = true\n");
}

static void other_mistakes(void **state)
{
    assert_refused("[registry]\nlisten = websocket://127.0.0.1:1236\n", "text://");
    assert_refused("[registry]\nlisten = 127.0.0.1:1236\n", "text://");
    assert_refused("[registry]\nlisten = text://localhost:1236\n", "listen");
    assert_refused("[registry]\nsecret_key = a\xff\n", "UTF-8");
    assert_refused("[registry]\nsecret = a\n", "secret");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_needs_no_key),
        cmocka_unit_test(other_hosts_need_a_key_or_a_word),
        cmocka_unit_test(other_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
