/* api_args: what calls take and what they refuse, naming the field; queries as objects. */
#include "web/api_args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/json.h"

static const struct api_limits limits = {.targets_n = 3, .results_n = 50};
static const unsigned everything = (API_LIMIT << 1) - 1;
static struct api_fault fault;

static int read_with(struct api_args *a, const struct api_shape *shape, const char *text)
{
    struct gw_json *in = gw_json_parse(gw_str(text), NULL, 0);
    assert_non_null(in);
    fault = (struct api_fault){0};
    int rc = api_args_read(a, in, shape, &limits, &fault);
    gw_json_free(in);
    return rc;
}

static void check_refused(const struct api_shape *shape, const char *text, const char *code,
                          const char *field)
{
    struct api_args a;
    assert_true(read_with(&a, shape, text) < 0);
    api_args_fini(&a);
    assert_int_equal(fault.status, 400);
    assert_string_equal(fault.code, code);
    assert_string_equal(fault.field, field);
    assert_true(fault.message[0] != '\0');
}

static void names_are_lists_or_one(void **state)
{
    const struct api_shape shape = {.takes = everything};
    struct api_args a;
    assert_int_equal(read_with(&a, &shape,
                               "{\"uid\":[\"a\",-7,\"\\u00fc\"],\"group\":\"0\","
                               "\"client\":\"7F0000010B5400000001\",\"limit\":5}"),
                     0);
    assert_int_equal(a.uids.n, 3);
    assert_string_equal(a.uids.texts[1], "-7");
    assert_string_equal(a.uids.texts[2], "\xc3\xbc");
    assert_int_equal(a.uids.at[2].len, 2);
    assert_string_equal(a.groups.texts[0], "0");
    assert_int_equal(a.clients.n, 1);
    assert_int_equal(a.limit, 5);
    assert_int_equal(a.given, API_UID | API_GROUP | API_CLIENT | API_LIMIT);
    api_args_fini(&a);

    assert_int_equal(read_with(&a, &shape, "{}"), 0);
    assert_int_equal(a.limit, limits.results_n);
    api_args_fini(&a);
}

static void names_may_hold_nul(void **state)
{
    const struct api_shape shape = {.takes = everything};
    struct api_args a;
    assert_int_equal(read_with(&a, &shape, "{\"uid\":\"a\\u0000b\"}"), 0);
    assert_int_equal(a.uids.at[0].len, 3);
    assert_memory_equal(a.uids.at[0].data, "a\0b", 4);
    api_args_fini(&a);
}

static void contents(void **state)
{
    const struct api_shape shape = {.takes = everything};
    struct api_args a;
    assert_int_equal(read_with(&a, &shape, "{\"message\":\"h\\u0000i\",\"set\":{\"a\":[1]}}"), 0);
    assert_int_equal(a.message.len, 3);
    assert_memory_equal(a.message.at, "h\0i", 3);
    assert_string_equal((const char *)a.session.at, "{\"a\":[1]}");
    api_args_fini(&a);
    assert_int_equal(read_with(&a, &shape, "{\"json\":[null,{\"b\":1.5}]}"), 0);
    assert_string_equal(buf_cstr(&a.message), "[null,{\"b\":1.5}]");
    api_args_fini(&a);
    assert_int_equal(read_with(&a, &shape, "{\"base64\":\"AP8=\"}"), 0);
    assert_int_equal(a.message.len, 2);
    assert_memory_equal(a.message.at, "\0\xff", 2);
    api_args_fini(&a);
    assert_int_equal(read_with(&a, &shape, "{\"base64\":\"\"}"), 0);
    assert_int_equal(a.message.len, 0);
    api_args_fini(&a);
}

static void wrong_values(void **state)
{
    const struct api_shape shape = {.takes = everything};
    static const struct {
        const char *text, *code, *field;
    } cases[] = {
        {"[]", "bad_json", ""},
        {"7", "bad_json", ""},
        {"{\"uid\":\"\"}", "bad_field", "uid"},
        {"{\"uid\":null}", "bad_field", "uid"},
        {"{\"uid\":true}", "bad_field", "uid"},
        {"{\"uid\":1.0}", "bad_field", "uid"},
        {"{\"uid\":{}}", "bad_field", "uid"},
        {"{\"uid\":[]}", "bad_field", "uid"},
        {"{\"uid\":[\"a\",[\"b\"]]}", "bad_field", "uid"},
        {"{\"group\":[\"1\",\"2\",\"3\",\"4\"]}", "too_many", "group"},
        {"{\"client\":\"7f0000010b540000000\"}", "bad_field", "client"},
        {"{\"client\":\"7f0000010b540000000g\"}", "bad_field", "client"},
        {"{\"exclude\":[\"7f0000010b5400000001\",7]}", "bad_field", "exclude"},
        {"{\"all\":1}", "bad_field", "all"},
        {"{\"raw\":\"true\"}", "bad_field", "raw"},
        {"{\"at_once\":null}", "bad_field", "at_once"},
        {"{\"message\":{}}", "bad_field", "message"},
        {"{\"base64\":\"A\"}", "bad_field", "base64"},
        {"{\"base64\":7}", "bad_field", "base64"},
        {"{\"set\":\"{}\"}", "bad_field", "set"},
        {"{\"members\":\"all\"}", "bad_field", "members"},
        {"{\"limit\":0}", "bad_field", "limit"},
        {"{\"limit\":51}", "bad_field", "limit"},
        {"{\"limit\":\"5x\"}", "bad_field", "limit"},
        {"{\"limit\":-1}", "bad_field", "limit"},
        {"{\"\":1}", "unknown_field", ""},
        {"{\"Uid\":\"1\"}", "unknown_field", "Uid"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_refused(&shape, cases[i].text, cases[i].code, cases[i].field);
}

static void shapes(void **state)
{
    const struct api_shape shape = {.takes = API_CLIENT | API_UID | API_GROUP | API_MESSAGE |
                                             API_JSON | API_SET | API_UPDATE,
                                    .needs = API_CLIENT,
                                    .one_of = API_SET | API_UPDATE,
                                    .at_most_one = API_UID | API_GROUP,
                                    .is_single_uid = true};
#define ID "\"client\":\"7f0000010b5400000001\""
    struct api_args a;
    assert_int_equal(read_with(&a, &shape, "{" ID ",\"set\":{},\"uid\":\"1\"}"), 0);
    api_args_fini(&a);
    check_refused(&shape, "{\"set\":{}}", "missing_field", "client");
    check_refused(&shape, "{" ID "}", "missing_field", "set");
    check_refused(&shape, "{" ID ",\"set\":{},\"update\":{}}", "bad_field", "update");
    check_refused(&shape, "{" ID ",\"set\":{},\"uid\":\"1\",\"group\":\"1\"}", "bad_field",
                  "group");
    check_refused(&shape, "{" ID ",\"set\":{},\"message\":\"\",\"json\":1}", "bad_field", "json");
    check_refused(&shape, "{" ID ",\"set\":{},\"uid\":[\"1\",\"2\"]}", "bad_field", "uid");
    check_refused(&shape, "{" ID ",\"set\":{},\"limit\":1}", "unknown_field", "limit");
}

/* A name of the peer's choosing is cut, perhaps within a character, and stays text. */
static void long_names_of_fields(void **state)
{
    const struct api_shape shape = {.takes = 0};
    struct buf text = {0};
    struct api_args a;
    buf_puts(&text, "{\"x");
    for (int i = 0; i < 100; i++)
        buf_puts(&text, "\xc3\xbc");
    buf_puts(&text, "\":1}");
    assert_true(read_with(&a, &shape, buf_cstr(&text)) < 0);
    api_args_fini(&a);
    buf_fini(&text);
    struct gw_json *json = api_fault_json(&fault);
    assert_string_equal(gw_json_str(gw_json_get(json, "error"), "code", ""), "unknown_field");
    assert_true(strlen(gw_json_str(gw_json_get(json, "error"), "field", "")) > 50);
    gw_json_free(json);
}

static void queries(void **state)
{
    static const struct {
        const char *query, *json;
    } cases[] = {
        {"", "{}"},
        {"&&", "{}"},
        {"a=1", "{\"a\":\"1\"}"},
        {"a", "{\"a\":\"\"}"},
        {"a=", "{\"a\":\"\"}"},
        {"a=1&b=2&a=3&a=4", "{\"a\":[\"1\",\"3\",\"4\"],\"b\":\"2\"}"},
        {"a+b=c%20d+e", "{\"a b\":\"c d e\"}"},
        {"a=b=c", "{\"a\":\"b=c\"}"},
        {"%C3%BC=%c3%bc", "{\"\xc3\xbc\":\"\xc3\xbc\"}"},
    };
    static const char *const broken[] = {"a=%", "a=%4", "a=%zz", "a=%ff", "%ff=1", "a=%00", "%00"};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text = {0};
        struct gw_json *json = api_args_of_query(span_str(cases[i].query), &fault);
        assert_int_equal(json_write(&text, json, GW_JSON_PLAIN), 0);
        assert_string_equal(buf_cstr(&text), cases[i].json);
        buf_fini(&text);
        gw_json_free(json);
    }
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        assert_null(api_args_of_query(span_str(broken[i]), &fault));
        assert_string_equal(fault.code, "bad_query");
    }
}

/* Copied for each value, the list of a head of 1 MiB would take an hour. */
static void a_query_full_of_one_name(void **state)
{
    enum { VALUES_N = 1024 * 1024 / 3 };
    struct buf query = {0};
    for (int i = 0; i < VALUES_N; i++)
        buf_puts(&query, "a=&");
    struct gw_json *json = api_args_of_query(buf_span(&query), &fault);
    assert_int_equal(gw_json_len(gw_json_get(json, "a")), VALUES_N);
    gw_json_free(json);
    buf_fini(&query);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_lists_or_one),
        cmocka_unit_test(names_may_hold_nul),
        cmocka_unit_test(contents),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(shapes),
        cmocka_unit_test(long_names_of_fields),
        cmocka_unit_test(queries),
        cmocka_unit_test(a_query_full_of_one_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
