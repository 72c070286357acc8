/* The command line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "cmd/args.h"

enum { WORDS_MAX = 8 };

static int parse(struct args *a, struct buf *errors, const char *const *words)
{
    char *argv[WORDS_MAX + 1] = {(char[]){"gatehouse"}};
    static char texts[WORDS_MAX][32];
    int argc = 1;
    for (; words[argc - 1]; argc++) {
        snprintf(texts[argc], sizeof texts[argc], "%s", words[argc - 1]);
        argv[argc] = texts[argc];
    }
    return args_parse(argc, argv, a, errors);
}

#define PARSE(a, errors, ...) parse(a, errors, (const char *const[]){__VA_ARGS__, NULL})

static void test_options_in_any_order(void **state)
{
    struct args a;
    struct buf errors = {0};
    assert_int_equal(PARSE(&a, &errors, "-d", "start", "-c", "x.conf", "-q"), 0);
    assert_string_equal(a.command, "start");
    assert_string_equal(a.conf_file, "x.conf");
    assert_true(a.is_detached);
    assert_true(a.is_quiet);
    assert_false(a.is_graceful);
    assert_false(a.is_json);
    assert_int_equal(PARSE(&a, &errors, "stop", "--graceful"), 0);
    assert_true(a.is_graceful);
    assert_null(a.conf_file);
    assert_int_equal(PARSE(&a, &errors, "status", "--json"), 0);
    assert_true(a.is_json);
    assert_int_equal(errors.len, 0);
}

static void test_nothing_and_help(void **state)
{
    struct args a;
    struct buf errors = {0};
    const char *const none[] = {NULL};
    assert_int_equal(parse(&a, &errors, none), 0);
    assert_null(a.command);
    assert_int_equal(PARSE(&a, &errors, "--help"), 0);
    assert_string_equal(a.command, "help");
}

static void test_wrong_usage(void **state)
{
    struct args a;
    struct buf errors = {0};
    assert_int_equal(PARSE(&a, &errors, "start", "-x"), -EINVAL);
    assert_string_equal(buf_cstr(&errors), "-x: unknown option\n");
    buf_clear(&errors);
    assert_int_equal(PARSE(&a, &errors, "start", "-c"), -EINVAL);
    assert_string_equal(buf_cstr(&errors), "-c: needs a file name behind it\n");
    buf_clear(&errors);
    assert_int_equal(PARSE(&a, &errors, "start", "stop"), -EINVAL);
    assert_string_equal(buf_cstr(&errors), "stop: one command at a time\n");
    buf_fini(&errors);
}

static void test_numbers(void **state)
{
    struct args a;
    struct buf errors = {0};
    assert_int_equal(PARSE(&a, &errors, "drain", "--rate", "5", "chat", "--seconds", "60"), 0);
    assert_int_equal(a.rate, 5);
    assert_int_equal(a.seconds, 60);
    assert_string_equal(a.target, "chat");
    assert_int_equal(PARSE(&a, &errors, "drain", "--rate", "0"), -EINVAL);
    assert_string_equal(buf_cstr(&errors), "--rate: needs a number behind it\n");
    buf_clear(&errors);
    assert_int_equal(PARSE(&a, &errors, "drain", "--rate"), -EINVAL);
    assert_string_equal(buf_cstr(&errors), "--rate: needs a number behind it\n");
    buf_fini(&errors);
}

static void test_options_of_a_command(void **state)
{
    struct args a;
    struct buf errors = {0};
    assert_int_equal(PARSE(&a, &errors, "stop", "--graceful", "-c", "x.conf"), 0);
    assert_int_equal(args_check(&a, "-c -g", &errors), 0);
    assert_int_equal(errors.len, 0);
    assert_int_equal(args_check(&a, "-c -d", &errors), -EINVAL);
    assert_string_equal(buf_cstr(&errors), "-g: not an option of \"stop\", which has: -c -d\n");
    buf_clear(&errors);
    assert_int_equal(PARSE(&a, &errors, "check", "--rate", "5"), 0);
    assert_int_equal(args_check(&a, "-c", &errors), -EINVAL);
    assert_string_equal(buf_cstr(&errors), "--rate: not an option of \"check\", which has: -c\n");
    buf_fini(&errors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_in_any_order), cmocka_unit_test(test_nothing_and_help),
        cmocka_unit_test(test_wrong_usage),          cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_options_of_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
