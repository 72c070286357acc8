/* JSON trees: what is accepted, what wrong types read as, what builders refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include <cmocka.h>

#include <gw/json.h>

#include "base/json.h"
#include "base/mem.h"

static struct gw_json *parse(const char *text)
{
    return gw_json_parse(gw_str(text), NULL, 0);
}

static void getters(void **state)
{
    struct gw_json *v = parse("{\"s\":\"\\u4f60\",\"i\":-7,\"r\":2.5,\"w\":3.0,\"b\":true,"
                              "\"n\":null,\"a\":[1,\"x\"],\"o\":{\"k\":\"v\"},\"e\":1e300}");
    assert_string_equal(gw_json_str(v, "s", NULL), "\xe4\xbd\xa0");
    assert_int_equal(gw_json_int(v, "i", 0), -7);
    assert_int_equal(gw_json_int(v, "w", 0), 3);
    assert_true(gw_json_real(v, "r", 0) == 2.5);
    assert_true(gw_json_real(v, "i", 0) == -7.0);
    assert_true(gw_json_bool(v, "b", false));
    assert_int_equal(gw_json_type(gw_json_get(v, "n")), GW_JSON_NULL);
    assert_int_equal(gw_json_len(gw_json_get(v, "a")), 2);
    assert_int_equal(gw_json_as_int(gw_json_at(gw_json_get(v, "a"), 0), 0), 1);
    assert_string_equal(gw_json_as_str(gw_json_at(gw_json_get(v, "a"), 1), ""), "x");
    assert_null(gw_json_at(gw_json_get(v, "a"), 2));
    assert_string_equal(gw_json_str(gw_json_get(v, "o"), "k", ""), "v");
    assert_int_equal(gw_json_int(v, "e", 5), 5);
    gw_json_free(v);
}

static void wrong_types_read_as_the_default(void **state)
{
    static const char *const texts[] = {"null", "true", "1", "1.5", "\"1\"", "[1]", "{\"k\":{}}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct gw_json *v = parse(texts[i]);
        assert_non_null(v);
        assert_string_equal(gw_json_str(v, "k", "def"), "def");
        assert_null(gw_json_strn(v, "k").data);
        assert_int_equal(gw_json_int(v, "k", 9), 9);
        assert_true(gw_json_real(v, "k", 9.5) == 9.5);
        assert_true(gw_json_bool(v, "k", true));
        assert_null(gw_json_get(v, "x"));
        assert_null(gw_json_get(v, NULL));
        if (gw_json_type(v) != GW_JSON_ARRAY)
            assert_null(gw_json_at(v, 0));
        gw_json_free(v);
    }
    assert_int_equal(gw_json_type(NULL), GW_JSON_ABSENT);
    assert_null(gw_json_get(NULL, "k"));
    assert_int_equal(gw_json_len(NULL), 0);
    assert_int_equal(gw_json_as_int(NULL, 4), 4);
    assert_null(gw_json_copy(NULL));
    gw_json_free(NULL);
    gw_free(NULL);
}

static void integers_at_the_edge(void **state)
{
    struct gw_json *v = parse("[9223372036854775807,-9223372036854775808,9223372036854775808.0,"
                              "-9223372036854775808.0,0.5]");
    assert_int_equal(gw_json_as_int(gw_json_at(v, 0), 0), INT64_MAX);
    assert_int_equal(gw_json_as_int(gw_json_at(v, 1), 0), INT64_MIN);
    assert_int_equal(gw_json_as_int(gw_json_at(v, 2), 1), 1);
    assert_int_equal(gw_json_as_int(gw_json_at(v, 3), 1), INT64_MIN);
    assert_int_equal(gw_json_as_int(gw_json_at(v, 4), 1), 1);
    gw_json_free(v);
    assert_null(parse("9223372036854775808"));
}

static void members_in_order(void **state)
{
    struct gw_json *v = parse("{\"z\":1,\"a\":2,\"z\":3,\"m\":4}");
    const char *name;
    const struct gw_json *value;
    char seen[8] = "";
    void *it = NULL;
    while (gw_json_next(v, &it, &name, &value))
        strcat(seen, name);
    assert_string_equal(seen, "zam");
    assert_int_equal(gw_json_int(v, "z", 0), 3); /* the last one wins */
    it = NULL;
    assert_false(gw_json_next(gw_json_get(v, "a"), &it, &name, &value));
    assert_false(gw_json_next(NULL, &it, NULL, NULL));
    gw_json_free(v);
}

static void strings_with_nul(void **state)
{
    struct gw_json *v = parse("{\"s\":\"a\\u0000b\"}");
    struct gw_bytes s = gw_json_strn(v, "s");
    assert_int_equal(s.len, 3);
    assert_memory_equal(s.data, "a\0b", 3);
    gw_json_free(v);
}

static void refused_texts(void **state)
{
    static const char *const bad[] = {
        "",      " ",  "{",   "[1,]", "{\"a\":1,}",  "{a:1}",    "'a'",
        "01",    "1.", "nul", "1 2",  "\"\\ud800\"", "\"\xff\"", "\"\x01\"",
        "1e999", "[1", "]",   "\"",   "{\"a\"}",     "\\",       "NaN"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char why[160] = "";
        struct gw_json *v = gw_json_parse(gw_str(bad[i]), why, sizeof why);
        if (v)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(why, "line 1, column "));
    }
    assert_null(gw_json_parse(gw_bytes(NULL, 0), NULL, 0));
    char why[160];
    assert_null(gw_json_parse(gw_bytes("1\0garbage", 9), why, sizeof why));
    assert_string_equal(why, "a NUL (byte 1), which JSON writes as \\u0000");
}

static void errors_tell_the_place(void **state)
{
    char why[160];
    assert_null(gw_json_parse(gw_str("{\"a\":1,\n\"b\":x}"), why, sizeof why));
    assert_non_null(strstr(why, "line 2, column 5 (byte 13): "));
}

static void limits(void **state)
{
    char why[160], deep[2 * (GW_JSON_DEPTH_MAX + 1)];
    struct gw_json *v = gw_json_parse_within(gw_str("[[\"[[[\\\"[\"]]"), 12, 2, why, sizeof why);
    assert_non_null(v); /* brackets in strings do not count */
    gw_json_free(v);
    assert_null(gw_json_parse_within(gw_str("[[[]]]"), 100, 2, why, sizeof why));
    assert_string_equal(why, "nested deeper than 2");
    assert_null(gw_json_parse_within(gw_str("[1,2]"), 4, 9, why, sizeof why));
    assert_string_equal(why, "5 bytes, but the limit is 4");
    memset(deep, '[', GW_JSON_DEPTH_MAX);
    memset(deep + GW_JSON_DEPTH_MAX, ']', GW_JSON_DEPTH_MAX);
    v = gw_json_parse(gw_bytes(deep, 2 * GW_JSON_DEPTH_MAX), NULL, 0);
    assert_non_null(v);
    gw_json_free(v);
    memset(deep, '[', sizeof deep);
    assert_null(
        gw_json_parse_within(gw_bytes(deep, sizeof deep), sizeof deep, 10000, why, sizeof why));
    assert_string_equal(why, "nested deeper than 512");
}

static void building(void **state)
{
    struct gw_json *o = gw_json_object(), *a = gw_json_array();
    assert_int_equal(gw_json_set_str(o, "s", "x"), 0);
    assert_int_equal(gw_json_set_strn(o, "n", gw_bytes("\0", 1)), 0);
    assert_int_equal(gw_json_set_strn(o, "e", gw_bytes(NULL, 0)), 0);
    assert_int_equal(gw_json_set_int(o, "i", INT64_MIN), 0);
    assert_int_equal(gw_json_set_real(o, "r", 0.5), 0);
    assert_int_equal(gw_json_set_bool(o, "b", true), 0);
    assert_int_equal(gw_json_set_null(o, "z"), 0);
    assert_int_equal(gw_json_append(a, gw_json_from_str("y")), 0);
    assert_int_equal(gw_json_append(a, gw_json_from_bool(false)), 0);
    assert_int_equal(gw_json_set(o, "a", a), 0);
    assert_int_equal(gw_json_len(o), 8);
    assert_string_equal(gw_json_str(o, "e", NULL), "");
    assert_int_equal(gw_json_strn(o, "n").len, 1);

    struct gw_json *copy = gw_json_copy(o);
    assert_int_equal(gw_json_set_str(o, "s", "changed"), 0);
    assert_string_equal(gw_json_str(copy, "s", ""), "x");
    assert_int_equal(gw_json_unset(copy, "s"), 0);
    assert_int_equal(gw_json_unset(copy, "s"), GW_ENOTFOUND);
    assert_int_equal(gw_json_unset(copy, NULL), GW_ENOTFOUND);
    assert_string_equal(gw_json_str(o, "s", ""), "changed");
    gw_json_free(copy);
    gw_json_free(o);
}

static void refused_members(void **state)
{
    struct gw_json *o = gw_json_object(), *a = gw_json_array();
    assert_int_equal(gw_json_set_str(o, "k", "\xff"), GW_EUTF8);
    assert_int_equal(gw_json_set_str(o, "\xff", "v"), GW_EUTF8);
    assert_int_equal(gw_json_set_str(o, "k", NULL), -EINVAL);
    assert_int_equal(gw_json_set_str(o, NULL, "v"), -EINVAL);
    assert_int_equal(gw_json_set_real(o, "k", NAN), -EINVAL);
    assert_int_equal(gw_json_set_real(o, "k", INFINITY), -EINVAL);
    assert_int_equal(gw_json_set(o, "k", NULL), -EINVAL);
    assert_int_equal(gw_json_set_int(a, "k", 1), -EINVAL);
    assert_int_equal(gw_json_set_int(NULL, "k", 1), -EINVAL);
    assert_int_equal(gw_json_append(o, gw_json_from_int(1)), -EINVAL);
    assert_int_equal(gw_json_append(a, gw_json_from_str("\xff")), -EINVAL);
    assert_int_equal(gw_json_append(a, NULL), -EINVAL);
    assert_null(gw_json_from_str(NULL));
    assert_int_equal(gw_json_len(o), 0);
    assert_int_equal(gw_json_len(a), 0);
    gw_json_free(o);
    gw_json_free(a);
}

/* That memory is counted, and aborts when there is none. The last test: it cannot be undone. */
static void trees_of_a_server_are_made_of_its_memory(void **state)
{
    uint64_t before_n = mem_allocs_n();
    gw_json_free(parse("[1]"));
    assert_int_equal(mem_allocs_n(), before_n);
    json_abort_without_memory();
    gw_json_free(parse("[1]"));
    assert_true(mem_allocs_n() > before_n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(getters),
        cmocka_unit_test(wrong_types_read_as_the_default),
        cmocka_unit_test(integers_at_the_edge),
        cmocka_unit_test(members_in_order),
        cmocka_unit_test(strings_with_nul),
        cmocka_unit_test(refused_texts),
        cmocka_unit_test(errors_tell_the_place),
        cmocka_unit_test(limits),
        cmocka_unit_test(building),
        cmocka_unit_test(refused_members),
        cmocka_unit_test(trees_of_a_server_are_made_of_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
