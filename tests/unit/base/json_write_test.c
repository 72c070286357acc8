/* JSON as text, in both styles; what PHP's json_encode() writes for the same values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

/* The second text is json_encode(json_decode($in)), the third has the flags
 * JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES. */
static const struct {
    const char *in, *php, *plain;
} vectors[] = {
    {" [ 1 , {\"a\" : null} ] ", "[1,{\"a\":null}]", "[1,{\"a\":null}]"},
    {"\"\\u4f60\xe5\xa5\xbd\"", "\"\\u4f60\\u597d\"", "\"\xe4\xbd\xa0\xe5\xa5\xbd\""},
    {"\"\\ud83d\\ude00\"", "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
    {"\"\\u00e9\\uffff\"", "\"\\u00e9\\uffff\"", "\"\xc3\xa9\xef\xbf\xbf\""},
    {"\"a/b\\\\c\\\"d\"", "\"a\\/b\\\\c\\\"d\"", "\"a/b\\\\c\\\"d\""},
    {"\"\\b\\f\\n\\r\\t\\u0001\\u001f\"", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\"",
     "\"\\b\\f\\n\\r\\t\\u0001\\u001f\""},
    {"\"a\\u0000b\"", "\"a\\u0000b\"", "\"a\\u0000b\""},
    {"\"\\u007f<>&'\"", "\"\x7f<>&'\"", "\"\x7f<>&'\""},
    {"{\"\\u4f60/\":true}", "{\"\\u4f60\\/\":true}", "{\"\xe4\xbd\xa0/\":true}"},
    {"[]", "[]", "[]"},
    {"{}", "{}", "{}"},
    {"[0.1,-2.5,0.30000000000000004]", "[0.1,-2.5,0.30000000000000004]",
     "[0.1,-2.5,0.30000000000000004]"},
    {"[9223372036854775807,-9223372036854775808,0]", "[9223372036854775807,-9223372036854775808,0]",
     "[9223372036854775807,-9223372036854775808,0]"},
    {"[true,false,null]", "[true,false,null]", "[true,false,null]"},
};

static void both_styles(void **state)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct gw_json *v = gw_json_parse(gw_str(vectors[i].in), NULL, 0);
        size_t len = 0;
        assert_non_null(v);
        char *text = gw_json_dump(v, GW_JSON_PHP, &len);
        assert_string_equal(text, vectors[i].php);
        assert_int_equal(len, strlen(text));
        gw_free(text);
        text = gw_json_dump(v, GW_JSON_PLAIN, NULL);
        assert_string_equal(text, vectors[i].plain);
        gw_free(text);
        gw_json_free(v);
    }
}

static void check_real(double real, const char *want)
{
    struct gw_json *v = gw_json_from_real(real);
    char *text = gw_json_dump(v, GW_JSON_PLAIN, NULL);
    if (want)
        assert_string_equal(text, want);
    assert_true(strtod(text, NULL) == real);
    gw_free(text);
    gw_json_free(v);
}

static void reals_are_short_and_exact(void **state)
{
    check_real(3.0, "3");
    check_real(-0.5, "-0.5");
    check_real(1e25, "1e+25");
    check_real(1.0 / 3, "0.3333333333333333");
    check_real(DBL_MAX, NULL);
    check_real(DBL_MIN, NULL);
    check_real(5e-324, NULL);
}

static void into_a_buffer(void **state)
{
    struct buf b = {0};
    struct gw_json *v = gw_json_array();
    buf_puts(&b, "x=");
    assert_int_equal(json_write(&b, v, GW_JSON_PLAIN), 0);
    assert_string_equal(buf_cstr(&b), "x=[]");
    assert_int_equal(json_write(&b, NULL, GW_JSON_PLAIN), -EINVAL);
    assert_string_equal(buf_cstr(&b), "x=[]");
    assert_null(gw_json_dump(NULL, GW_JSON_PLAIN, NULL));
    gw_json_free(v);
    buf_fini(&b);
}

static struct gw_json *nest(int levels)
{
    struct gw_json *v = gw_json_array();
    for (int i = 1; i < levels; i++) {
        struct gw_json *outer = gw_json_array();
        assert_int_equal(gw_json_append(outer, v), 0);
        v = outer;
    }
    return v;
}

static void depth_is_limited(void **state)
{
    struct gw_json *v = nest(GW_JSON_DEPTH_MAX);
    char *text = gw_json_dump(v, GW_JSON_PLAIN, NULL);
    assert_int_equal(strlen(text), 2 * GW_JSON_DEPTH_MAX);
    gw_free(text);
    gw_json_free(v);

    struct buf b = {0};
    v = nest(GW_JSON_DEPTH_MAX + 1);
    buf_puts(&b, "kept");
    assert_null(gw_json_dump(v, GW_JSON_PLAIN, NULL));
    assert_int_equal(json_write(&b, v, GW_JSON_PHP), GW_ETOOBIG);
    assert_string_equal(buf_cstr(&b), "kept");
    gw_json_free(v);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_styles),
        cmocka_unit_test(reals_are_short_and_exact),
        cmocka_unit_test(into_a_buffer),
        cmocka_unit_test(depth_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
