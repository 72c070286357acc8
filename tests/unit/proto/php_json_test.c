/* php_json: both JSON forms of php-serialize.json, and what json_encode() refuses. */
#include "proto/php_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/vectors.h"
#include "unit/proto/php_vectors.h"

static void assert_json(const json_t *vector, const char *member, bool is_unescaped)
{
    struct php_doc *d = php_doc_new();
    struct buf got = {0};
    bool is_written;

    buf_puts(&got, "before");
    is_written =
        php_write_json(php_vector_value(d, json_object_get(vector, "value")), is_unescaped, &got);
    assert_int_equal(is_written, json_is_string(json_object_get(vector, member)));
    buf_consume(&got, strlen("before"));
    assert_bytes(member, buf_span(&got), vectors_text(vector, member));
    buf_fini(&got);
    php_doc_free(d);
}

static void recorded_values(void **state)
{
    json_t *root = vectors_load("php-serialize.json");
    json_t *vector;
    size_t i;

    assert_int_equal(json_array_size(json_object_get(root, "encode")), 61);
    json_array_foreach(json_object_get(root, "encode"), i, vector)
    {
        assert_json(vector, "json_unescaped_unicode", true);
        assert_json(vector, "json_default", false);
    }
    json_decref(root);
}

/* What json_encode() of PHP 8.2 writes for U+2028, x, U+2029, é, U+1F600, DEL and controls. */
static void escapes(void **state)
{
    struct span text =
        span_str("\xe2\x80\xa8x\xe2\x80\xa9\xc3\xa9\xf0\x9f\x98\x80\x7f\x01\x1f/\b\f\n\r\t\"\\");
    struct buf got = {0};

    assert_true(php_json_put_string(&got, text, 0));
    assert_bytes("default", buf_span(&got),
                 span_str("\"\\u2028x\\u2029\\u00e9\\ud83d\\ude00\x7f\\u0001\\u001f\\/"
                          "\\b\\f\\n\\r\\t\\\"\\\\\""));
    buf_clear(&got);
    assert_true(php_json_put_string(&got, text, PHP_JSON_UNESCAPED_UNICODE));
    assert_bytes("unescaped unicode", buf_span(&got),
                 span_str("\"\\u2028x\\u2029\xc3\xa9\xf0\x9f\x98\x80\x7f\\u0001\\u001f\\/"
                          "\\b\\f\\n\\r\\t\\\"\\\\\""));
    buf_clear(&got);
    assert_true(php_json_put_string(&got, span_str("a/b"), PHP_JSON_UNESCAPED_SLASHES));
    assert_bytes("unescaped slashes", buf_span(&got), span_str("\"a/b\""));
    buf_fini(&got);
}

static void what_is_not_utf8_leaves_the_buffer_alone(void **state)
{
    struct php_doc *d = php_doc_new();
    struct php_value *list = php_new_array(d);
    struct buf got = {0};

    buf_puts(&got, "x");
    assert_false(php_json_put_string(&got, span_str("\xff"), 0));
    php_append(d, list, php_new_int(d, 1));
    php_append(d, list, php_new_string(d, span_str("\xc3")));
    assert_false(php_write_json(list, true, &got));
    assert_bytes("buffer", buf_span(&got), span_str("x"));
    buf_fini(&got);
    php_doc_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_values),
        cmocka_unit_test(escapes),
        cmocka_unit_test(what_is_not_utf8_leaves_the_buffer_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
