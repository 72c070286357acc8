/* api_ops: which key may make which call, over a cluster that counts what reaches it. */
#include "web/api_ops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/compiler.h"
#include "client/io.h"

#define ID "\"client\":\"7f0000010b5400000001\""

static unsigned asked_n;

/* No gateway at all, so that what gets through ends in "no_gateway". */
static int no_gateways(struct gw *gw, const struct addr_book **out)
{
    static const struct addr_book none;
    asked_n++;
    *out = &none;
    return GW_ENOGATEWAY;
}

static const struct gw_io io = {.gateways = no_gateways};
static const struct api_limits limits = {.targets_n = 10, .results_n = 10};

static int run(const char *call, const struct api_key *key, const char *text, char code[32],
               char field[32])
{
    struct gw gw = {.io = &io};
    struct gw_json *in = gw_json_parse(gw_str(text), NULL, 0);
    struct gw_json *out = NULL;
    const struct api_op *op = api_op_find(span_str(call));
    assert_non_null(in);
    assert_non_null(op);
    asked_n = 0;
    int status = api_op_run(op, key, &gw, &limits, in, &out);
    const struct gw_json *error = gw_json_get(out, "error");
    strncpy(code, gw_json_str(error, "code", ""), 31);
    strncpy(field, gw_json_str(error, "field", ""), 31);
    gw_json_free(in);
    gw_json_free(out);
    buf_fini(&gw.ext);
    return status;
}

static struct api_key key_for(const char *calls, const struct conf_item *groups)
{
    struct api_key k = {.groups = {.at = groups, .len = groups ? 1 : 0}};
    assert_true(api_ops_named(span_str(calls), &k.calls));
    return k;
}

static void scopes(void **state)
{
    const struct conf_item news = {.text = "news-*"};
    const struct api_key all = key_for("*", NULL);
    const struct api_key sender = key_for("send", NULL);
    const struct api_key confined = key_for("*", &news);
    const struct {
        const struct api_key *key;
        const char *call, *text;
        int status;
        const char *field;
    } cases[] = {
        {&all, "send", "{\"all\":true,\"message\":\"\"}", 503, ""},
        {&all, "count", "{}", 503, ""},
        {&sender, "send", "{\"uid\":\"1\",\"message\":\"\"}", 503, ""},
        {&sender, "kick", "{\"uid\":\"1\"}", 403, ""},
        {&confined, "send", "{\"group\":\"news-1\",\"message\":\"\"}", 503, ""},
        {&confined, "send", "{\"group\":[\"news-1\",\"x\"],\"message\":\"\"}", 403, "group"},
        {&confined, "send", "{\"all\":true,\"message\":\"\"}", 403, "group"},
        {&confined, "send", "{\"uid\":\"1\",\"message\":\"\"}", 403, "group"},
        {&confined, "send", "{" ID ",\"message\":\"\"}", 403, "group"},
        {&confined, "join", "{" ID ",\"group\":\"news-1\"}", 503, ""},
        {&confined, "join", "{" ID ",\"group\":\"new\"}", 403, "group"},
        {&confined, "ungroup", "{\"group\":\"x\"}", 403, "group"},
        {&confined, "online", "{}", 403, "group"},
        {&confined, "sessions", "{\"group\":\"news-\"}", 503, ""},
        {&confined, "count", "{\"group\":[\"news-\",\"old\"]}", 403, "group"},
        {&confined, "uids", "{\"uid\":\"1\"}", 403, "group"},
        {&confined, "groups", "{}", 503, ""},
        {&confined, "bind", "{" ID ",\"uid\":\"1\"}", 503, ""},
        {&confined, "client", "{" ID "}", 503, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char code[32] = "", field[32] = "";
        int status = run(cases[i].call, cases[i].key, cases[i].text, code, field);
        if (status != cases[i].status)
            print_error("%s %s: %d %s\n", cases[i].call, cases[i].text, status, code);
        assert_int_equal(status, cases[i].status);
        assert_string_equal(field, cases[i].field);
        assert_string_equal(code, status == 403 ? "forbidden" : "no_gateway");
        if (status == 403)
            assert_int_equal(asked_n, 0);
        else
            assert_true(asked_n > 0);
    }
}

static void rules_beyond_single_fields(void **state)
{
    const struct api_key all = key_for("*", NULL);
    static const struct {
        const char *call, *text, *code, *field;
    } cases[] = {
        {"send", "{\"all\":true}", "missing_field", "message"},
        {"send", "{\"uid\":\"1\",\"message\":\"\",\"exclude\":\"7f0000010b5400000001\"}",
         "bad_field", "exclude"},
        {"send", "{\"all\":true,\"message\":\"\",\"raw\":true,\"binary\":true}", "bad_field",
         "binary"},
        {"join",
         "{\"client\":[\"7f0000010b5400000001\",\"7f0000010b5400000002\"],"
         "\"group\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]}",
         "too_many", "group"},
        {"kick", "{" ID ",\"at_once\":true,\"message\":\"\"}", "bad_field", "at_once"},
        {"kick", "{\"uid\":\"1\",\"at_once\":true}", "bad_field", "at_once"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char code[32] = "", field[32] = "";
        assert_int_equal(run(cases[i].call, &all, cases[i].text, code, field), 400);
        assert_string_equal(code, cases[i].code);
        assert_string_equal(field, cases[i].field);
        assert_int_equal(asked_n, 0);
    }
}

static void names(void **state)
{
    uint32_t calls;
    for (unsigned i = 0; i < API_OPS_N; i++) {
        assert_ptr_equal(api_op_find(span_str(api_ops[i].name)), &api_ops[i]);
        assert_true(api_ops_named(span_str(api_ops[i].name), &calls));
        assert_int_equal(calls, 1U << i);
    }
    assert_true(api_ops_named(span_str("*"), &calls));
    assert_int_equal(calls, (1U << API_OPS_N) - 1);
    assert_false(api_ops_named(span_str(""), &calls));
    assert_false(api_ops_named(span_str("batch"), &calls));
    assert_null(api_op_find(span_str("sen")));
    assert_null(api_op_find(span_str("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes),
        cmocka_unit_test(rules_beyond_single_fields),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
