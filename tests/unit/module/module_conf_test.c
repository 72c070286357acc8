/* A module's keys: options by their whole name, and a file that can be compiled or loaded. */
#include "module/module_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <gw/err.h>

#include "support/tmpdir.h"

static const struct conf_item options[] = {
    {.text = "color=blue"},          {.text = "colors=all"}, {.text = "empty="},
    {.text = "url=http://x/?a=b=c"}, {.text = "color=red"},  {.text = "=nameless"},
};

static void options_have_whole_names(void **state)
{
    const struct module_conf c = {.options = {.at = options, .len = ARRAY_LEN(options)}};
    assert_string_equal(module_option(&c, "color"), "blue"); /* the first counts */
    assert_string_equal(module_option(&c, "colors"), "all");
    assert_string_equal(module_option(&c, "empty"), "");
    assert_string_equal(module_option(&c, "url"), "http://x/?a=b=c");
    static const char *const none[] = {"colo", "colorss", "Color", "color=blue", "", NULL};
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_null(module_option(&c, none[i]));
}

struct test_conf {
    const char *module;
    struct module_conf more;
};

static const struct conf_key keys[] = {
    {.name = "module", .type = CONF_STR, .offset = offsetof(struct test_conf, module)},
    MODULE_CONF_KEYS(struct test_conf, more)};
static const struct conf_table table = {.kind = "service",
                                        .keys = keys,
                                        .keys_n = ARRAY_LEN(keys),
                                        .conf_bytes = sizeof(struct test_conf)};

static int check(const char *text, struct buf *errors)
{
    struct tmpdir dir = tmpdir_make();
    const struct conf_table *tables[] = {&table};
    struct conf *conf;
    tmpdir_write(&dir, "good.c", "");
    tmpdir_write(&dir, "good.so", "");
    int rc = conf_load(tmpdir_write(&dir, "t.conf", text), tables, 1, errors, &conf);
    assert_int_equal(rc, 0);
    const struct conf_section *s = conf_section_at(conf, 0);
    const struct test_conf *c = s->conf;
    rc = module_conf_check(conf, s, "module", c->module, &c->more, errors);
    conf_free(conf);
    tmpdir_remove(&dir);
    return rc;
}

static void expect(const char *text, const char *words)
{
    struct buf errors = {0};
    int rc = check(text, &errors);
    assert_int_equal(rc, words ? GW_ECONF : 0);
    if (words && !strstr(buf_cstr(&errors), words))
        fail_msg("\"%s\" lacks \"%s\"", buf_cstr(&errors), words);
    assert_int_equal(errors.len > 0, words != NULL);
    buf_fini(&errors);
}

static void files_are_sources_or_objects(void **state)
{
    expect("[service]\nmodule = good.c\n", NULL);
    expect("[service]\nmodule = ./good.so\n", NULL);
    expect("[service]\nmodule = absent.c\n", "cannot read ");
    expect("[service]\nmodule = t.conf\n", "\"t.conf\" is neither a .c nor a .so file");
    expect("[service]\nmodule = goodc\n", "neither");
}

static void every_option_is_looked_at(void **state)
{
    struct buf errors = {0};
    expect("[service]\nmodule = good.c\noption = a=b\noption = c=\n", NULL);
    assert_int_equal(
        check("[service]\nmodule = absent.so\noption = a\noption = b=c\noption = d\n", &errors),
        GW_ECONF);
    assert_non_null(strstr(buf_cstr(&errors), "t.conf:3: [service] option: \"a\" should be"));
    assert_non_null(strstr(buf_cstr(&errors), "t.conf:5: [service] option: \"d\" should be"));
    assert_non_null(strstr(buf_cstr(&errors), "t.conf:2: [service] module: cannot read "));
    buf_fini(&errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_have_whole_names),
        cmocka_unit_test(files_are_sources_or_objects),
        cmocka_unit_test(every_option_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
