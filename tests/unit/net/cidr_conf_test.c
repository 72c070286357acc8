/* Addresses in the config: each bad one is named with its own line, all others are in the set. */
#include "net/cidr_conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gw/err.h>

static const struct conf_table table = {.kind = "gateway"};
static const struct conf_section section = {.table = &table, .name = "chat"};

static const struct conf_item items[] = {
    {.text = "10.0.0.0/8", .file = "a.conf", .line = 3},
    {.text = "10.0.0.0/33", .file = "a.conf", .line = 4},
    {.text = "::1", .file = "b.conf", .line = 1},
    {.text = "", .file = "b.conf", .line = 2},
    {.text = "unix", .file = "b.conf", .line = 7},
};
static const struct conf_list list = {.at = items, .len = ARRAY_LEN(items)};

static void every_bad_one_has_its_line(void **state)
{
    struct buf errors = {0};
    assert_int_equal(cidr_conf_check(&section, "allow", &list, &errors), GW_ECONF);
    static const char hint[] =
        " is no address; write for instance 127.0.0.1, 10.0.0.0/8, ::1 or unix\n";
    struct buf want = {0};
    buf_printf(&want, "a.conf:4: [gateway chat] allow: \"10.0.0.0/33\"%s", hint);
    buf_printf(&want, "b.conf:2: [gateway chat] allow: \"\"%s", hint);
    assert_string_equal(buf_cstr(&errors), buf_cstr(&want));
    buf_fini(&want);
    buf_fini(&errors);
}

static void good_ones_need_no_words(void **state)
{
    const struct conf_list good = {.at = items, .len = 1}, none = {0};
    struct buf errors = {0};
    assert_int_equal(cidr_conf_check(&section, "allow", &good, &errors), 0);
    assert_int_equal(cidr_conf_check(&section, "allow", &none, &errors), 0);
    assert_int_equal(errors.len, 0);
    struct cidr_set set = cidr_conf_read(&none);
    assert_int_equal(set.len, 0);
    cidr_set_fini(&set);
}

static bool has(const struct cidr_set *set, const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(text, &a), 0);
    return cidr_set_has(set, &a);
}

/* A bad one must not become 0.0.0.0/0 or the like, which would let everybody in. */
static void a_bad_one_lets_nobody_in(void **state)
{
    struct cidr_set set = cidr_conf_read(&list);
    assert_int_equal(set.len, 3);
    assert_true(has(&set, "10.255.0.1:80"));
    assert_true(has(&set, "[::1]:80"));
    assert_true(cidr_set_has(&set, &(struct addr){.family = AF_UNIX}));
    assert_false(has(&set, "11.0.0.1:80"));
    assert_false(has(&set, "[::2]:80"));
    cidr_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bad_one_has_its_line),
        cmocka_unit_test(good_ones_need_no_words),
        cmocka_unit_test(a_bad_one_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
