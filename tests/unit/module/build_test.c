/* Modules from sources and shared objects: what is built, what is refused, what is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <gw/err.h>
#include <gw/module.h>

#include "base/buf.h"
#include "module/build.h"
#include "support/spawn.h"
#include "support/tmpdir.h"

static const char good[] = "#include <gw/module.h>\n"
                           "const struct gw_module gw_module = {.abi = GW_MODULE_ABI};\n";

/* Builds in a process of its own, as the master does, and says how it ended in its exit status. */
struct order {
    const char *source;
    const char *run_dir;
    unsigned serial;
};

static void build(void *arg)
{
    const struct order *o = arg;
    static const struct module_kind kind = {.symbol = "gw_module", .abi = GW_MODULE_ABI};
    struct module_conf conf = {0};
    struct build b = {.name = "w", .source = o->source, .conf = &conf, .kind = &kind};
    struct buf artifact = {0};

    int rc = build_module(&b, o->run_dir, o->serial, &artifact);
    buf_fini(&artifact);
    _exit(rc < 0 ? 1 : 0);
}

struct place {
    struct tmpdir dir;
    char *source;
    struct buf said; /* by compiler and builder */
};

static void open_place(struct place *p, const char *events, const char *source)
{
    *p = (struct place){.dir = tmpdir_make()};
    p->source = strdup(tmpdir_write(&p->dir, events, source));
}

static void close_place(struct place *p)
{
    free(p->source);
    buf_fini(&p->said);
    tmpdir_remove(&p->dir);
}

static int order(struct place *p, unsigned serial)
{
    struct order o = {.source = p->source, .run_dir = p->dir.path, .serial = serial};

    buf_clear(&p->said);
    return spawn_call(build, &o, 30000, &p->said);
}

static bool has_file(const struct place *p, const char *name)
{
    return access(tmpdir_path(&p->dir, name), F_OK) == 0;
}

static void expect_said(struct place *p, const char *part)
{
    if (!strstr(buf_cstr(&p->said), part))
        fail_msg("\"%s\" is not in: %s", part, buf_cstr(&p->said));
}

/* The headers of this tree: the program that runs is a test, not build/gatehouse beside them. */
static int point_at_headers(void **state)
{
    return setenv("GATEHOUSE_INCLUDE", "include", 1);
}

static void test_a_source_becomes_a_module(void **state)
{
    struct place p;

    open_place(&p, "events.c", good);
    if (order(&p, 1) != 0)
        fail_msg("%s", buf_cstr(&p.said));
    assert_true(has_file(&p, "w-1.so"));
    assert_false(has_file(&p, "w-1.so.tmp"));
    close_place(&p);
}

static void test_a_compile_error_names_its_line_and_leaves_nothing(void **state)
{
    struct place p;

    open_place(&p, "events.c", "#include <gw/module.h>\nint x = undeclared;\n");
    assert_int_equal(order(&p, 1), 1);
    expect_said(&p, "events.c:2:");
    assert_false(has_file(&p, "w-1.so"));
    assert_false(has_file(&p, "w-1.so.tmp"));
    close_place(&p);
}

static void test_headers_that_cannot_be_read_are_named(void **state)
{
    struct place p;

    open_place(&p, "events.c", good);
    setenv("GATEHOUSE_INCLUDE", p.dir.path, 1);
    assert_int_equal(order(&p, 1), 1);
    point_at_headers(state);
    expect_said(&p, "/gw/module.h: No such file");
    if (strstr(buf_cstr(&p.said), "compiler")) /* which was not asked yet */
        fail_msg("%s", buf_cstr(&p.said));
    close_place(&p);
}

static void test_what_is_no_module_is_refused(void **state)
{
    static const struct {
        const char *source;
        const char *said;
    } bad[] = {
        {"int nothing;\n", "gw_module"},
        {"#include <gw/module.h>\nconst struct gw_module gw_module = {.abi = 99};\n", "99"},
        {"#include <gw/module.h>\nvoid nobody(void);\nvoid (*f)(void) = nobody;\n"
         "const struct gw_module gw_module = {.abi = GW_MODULE_ABI};\n",
         "nobody"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct place p;
        open_place(&p, "events.c", bad[i].source);
        assert_int_equal(order(&p, 1), 1);
        expect_said(&p, bad[i].said);
        assert_false(has_file(&p, "w-1.so"));
        close_place(&p);
    }
}

static void test_a_shared_object_is_checked_and_old_ones_go(void **state)
{
    struct place p;

    open_place(&p, "events.so", "this is no ELF file");
    assert_int_equal(order(&p, 1), 1);
    expect_said(&p, "cannot load the module");
    close_place(&p);

    open_place(&p, "events.c", good);
    for (unsigned serial = 1; serial <= 5; serial++)
        if (order(&p, serial) != 0)
            fail_msg("%s", buf_cstr(&p.said));
    assert_false(has_file(&p, "w-2.so"));
    assert_true(has_file(&p, "w-3.so"));
    assert_true(has_file(&p, "w-5.so"));
    close_place(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_source_becomes_a_module),
        cmocka_unit_test(test_a_compile_error_names_its_line_and_leaves_nothing),
        cmocka_unit_test(test_headers_that_cannot_be_read_are_named),
        cmocka_unit_test(test_what_is_no_module_is_refused),
        cmocka_unit_test(test_a_shared_object_is_checked_and_old_ones_go),
    };

    return cmocka_run_group_tests(tests, point_at_headers, NULL);
}
