/* api_key: tokens, scopes, patterns of groups, rates; and what a config with keys must say. */
#include "web/api_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/compiler.h"
#include "support/tmpdir.h"
#include "web/api_conf.h"
#include "web/api_ops.h"

static struct tmpdir dir;
static const struct conf_table *const tables[] = {&api_key_table};

static int set_up(void **state)
{
    dir = tmpdir_make();
    return 0;
}

static int tear_down(void **state)
{
    tmpdir_remove(&dir);
    return 0;
}

static struct conf *load(const char *text)
{
    struct buf errors = {0};
    struct conf *conf = NULL;
    int rc = conf_load(tmpdir_write(&dir, "test.conf", text), tables, 1, &errors, &conf);
    if (rc < 0)
        print_error("%s", buf_cstr(&errors));
    assert_int_equal(rc, 0);
    buf_fini(&errors);
    return conf;
}

static bool may(const struct api_key *k, const char *call)
{
    const struct api_op *op = api_op_find(span_str(call));
    assert_non_null(op);
    return api_key_may_call(k, api_op_pos(op));
}

static void tokens_and_calls(void **state)
{
    setenv("API_KEY_TEST", "from-the-environment", 1);
    tmpdir_write(&dir, "token", "  out-of-a-file-with-blanks \r\nsecond line\n");
    struct conf *conf =
        load("[api a]\ntoken = 0123456789abcdef\ncalls = send, join\ncalls = count\n"
             "[api b]\ntoken = ${API_KEY_TEST}\ncalls = read\n"
             "[api c]\ntoken_file = token\ncalls = *\n");
    struct buf errors = {0};
    assert_true(api_conf_is_on(conf));
    assert_int_equal(api_conf_check(conf, &errors), 0);
    struct api_keys keys;
    struct buf credentials = {0};
    assert_int_equal(api_keys_read(conf, &credentials, &errors), 0);
    struct span rest = buf_span(&credentials);
    assert_int_equal(api_keys_load(&keys, conf, &rest, 0), 0);
    assert_int_equal(rest.len, 0);
    buf_fini(&credentials);
    assert_int_equal(keys.n, 3);
    struct api_key *a = api_keys_find(&keys, span_str("0123456789abcdef"));
    struct api_key *b = api_keys_find(&keys, span_str("from-the-environment"));
    struct api_key *c = api_keys_find(&keys, span_str("out-of-a-file-with-blanks"));
    assert_ptr_equal(a, &keys.at[0]);
    assert_ptr_equal(b, &keys.at[1]);
    assert_ptr_equal(c, &keys.at[2]);
    static const char *const strangers[] = {"", "0", "0123456789abcde", "0123456789abcdef0",
                                            "0123456789abcdeF"};
    for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
        assert_null(api_keys_find(&keys, span_str(strangers[i])));
    assert_true(may(a, "send") && may(a, "join") && may(a, "count"));
    assert_false(may(a, "leave") || may(a, "online"));
    assert_true(may(b, "online") && may(b, "client") && may(b, "count"));
    assert_false(may(b, "send") || may(b, "kick"));
    for (size_t i = 0; i < API_OPS_N; i++)
        assert_true(may(c, api_ops[i].name));
    api_keys_fini(&keys);
    conf_free(conf);
    buf_fini(&errors);
}

static void patterns(void **state)
{
    static const struct {
        const char *patterns, *group;
        bool expected;
    } cases[] = {
        {"a", "a", true},
        {"a", "ab", false},
        {"a", "", false},
        {"a*", "a", true},
        {"a*", "abc", true},
        {"*", "", true},
        {"*", "anything", true},
        {"a*c", "abcbc", true},
        {"a*c", "abcb", false},
        {"*a*b*", "xxaxxbxx", true},
        {"*a*b*", "xxbxxaxx", false},
        {"x, news-*", "news-de", true},
        {"x, news-*", "x", true},
        {"x, news-*", " news-de", false},
        {"[a]", "a", false},
        {"a?", "ab", false},
        {"\xc3\xbc*", "\xc3\xbcx", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf_item item = {.text = cases[i].patterns};
        struct api_key k = {.groups = {.at = &item, .len = 1}};
        bool matches = api_key_may_group(&k, span_str(cases[i].group));
        if (matches != cases[i].expected)
            print_error("%s %s\n", cases[i].patterns, cases[i].group);
        assert_int_equal(matches, cases[i].expected);
        assert_true(api_key_is_confined(&k));
    }
    struct api_key open = {0};
    assert_false(api_key_is_confined(&open));
    assert_true(api_key_may_group(&open, span_str("any")));
}

/* A pattern of many stars must not take for ever. */
static void stars(void **state)
{
    char text[4001];
    struct conf_item item = {.text = "*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b"};
    struct api_key k = {.groups = {.at = &item, .len = 1}};
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_false(api_key_may_group(&k, span_str(text)));
}

static void rates(void **state)
{
    struct api_key k = {.rate = 2, .credit_milli = 2000};
    assert_int_equal(api_key_charge(&k, 1, 0), 0);
    assert_int_equal(api_key_charge(&k, 1, 0), 0);
    assert_int_equal(api_key_charge(&k, 1, 0), 1);
    assert_int_equal(api_key_charge(&k, 1, 499), 1);
    assert_int_equal(api_key_charge(&k, 1, 500), 0);
    assert_int_equal(api_key_charge(&k, 1, 500), 1);
    /* A long rest does not save up more than one second's worth. */
    assert_int_equal(api_key_charge(&k, 1, 100000), 0);
    assert_int_equal(api_key_charge(&k, 1, 100000), 0);
    assert_int_equal(api_key_charge(&k, 1, 100000), 1);
    /* A batch overdraws; its debt is paid before anything else passes. */
    assert_int_equal(api_key_charge(&k, 10, 101000), 0);
    assert_int_equal(k.credit_milli, -8000);
    assert_int_equal(api_key_charge(&k, 1, 101000), 5);
    assert_int_equal(api_key_charge(&k, 1, 105499), 1);
    assert_int_equal(api_key_charge(&k, 1, 105500), 0);
    struct api_key free_key = {.rate = 0};
    for (int i = 0; i < 1000; i++)
        assert_int_equal(api_key_charge(&free_key, 100, 0), 0);
}

static void wrong_keys(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"[api k]\ncalls = *\n", "[api k] token: is missing"},
        {"[api k]\ntoken = 0123456789abcde\ncalls = *\n", "[api k] token: must have 16"},
        {"[api k]\ntoken = 0123456789 abcdef\ncalls = *\n", "[api k] token: must have 16"},
        {"[api k]\ntoken_file = none\ncalls = *\n", "[api k] token_file: No such file"},
        {"[api k]\ntoken = 0123456789abcdef\ntoken_file = x\ncalls = *\n", "there is a token too"},
        {"[api k]\ntoken = 0123456789abcdef\ncalls = *, sned\n", "\"sned\" is no call"},
        {"[api k]\ntoken = 0123456789abcdef\ncalls = ,\n", "\"\" is no call"},
        {"[api k]\ntoken = 0123456789abcdef\ncalls = *\ngroups = a,\n", "a pattern is empty"},
        {"[api k]\ntoken = 0123456789abcdef\ncalls = *\n[api l]\ntoken = 0123456789abcdef\ncalls = "
         "*\n",
         "[api l] token: is that of [api k] too"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf errors = {0};
        struct conf *conf = load(cases[i].text);
        assert_int_equal(api_conf_check(conf, &errors), GW_ECONF);
        if (!strstr(buf_cstr(&errors), cases[i].says))
            print_error("%s\n%s\n", cases[i].says, buf_cstr(&errors));
        assert_non_null(strstr(buf_cstr(&errors), cases[i].says));
        assert_null(strstr(buf_cstr(&errors), "0123456789"));
        conf_free(conf);
        buf_fini(&errors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_and_calls),
        cmocka_unit_test(patterns),
        cmocka_unit_test(stars),
        cmocka_unit_test(rates),
        cmocka_unit_test(wrong_keys),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
