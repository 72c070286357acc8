/* php_json_read: texts as json_decode(…, true) of PHP 8.2 takes them, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/phpser.h"
#include "support/vectors.h"
#include "unit/proto/php_vectors.h"

struct row {
    const char *json;
    const char *serialized; /* NULL: refused */
};

static void assert_reads(struct span json, const char *serialized)
{
    struct php_doc *d = php_doc_new();
    struct php_value *v = php_read_json(d, json);
    struct buf got = {0};

    if ((v != NULL) != (serialized != NULL))
        fail_msg("%.*s: read %d", (int)json.len, (const char *)json.at, v != NULL);
    if (v) {
        php_write(v, &got);
        assert_bytes((const char *)json.at, buf_span(&got), span_str(serialized));
    }
    buf_fini(&got);
    php_doc_free(d);
}

static void values(void **state)
{
    static const struct row rows[] = {
        {"null", "N;"},
        {"true", "b:1;"},
        {" false\r\n\t", "b:0;"},
        {"0", "i:0;"},
        {"-0", "i:0;"},
        {"-0.0", "d:-0;"},
        {"1E5", "d:100000;"},
        {"1e400", "d:INF;"},
        {"12345678901234567890", "d:1.2345678901234567E+19;"},
        {"9223372036854775807", "i:9223372036854775807;"},
        {"-9223372036854775808", "i:-9223372036854775808;"},
        {"-9223372036854775809", "d:-9.223372036854776E+18;"},
        {"\"\"", "s:0:\"\";"},
        {"\"\\u00e9\\ud83d\\ude00\\/\\\"\\n\"", "s:9:\"\xc3\xa9\xf0\x9f\x98\x80/\"\n\";"},
        {"[]", "a:0:{}"},
        {"{ }", "a:0:{}"},
        {"[1, [2 ] ,3]", "a:3:{i:0;i:1;i:1;a:1:{i:0;i:2;}i:2;i:3;}"},
        {"{\"1\":5 , \"01\" : 6,\"\":7}", "a:3:{i:1;i:5;s:2:\"01\";i:6;s:0:\"\";i:7;}"},
        {"{\"a\":1,\"b\":2,\"a\":3}", "a:2:{s:1:\"a\";i:3;s:1:\"b\";i:2;}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_reads(span_str(rows[i].json), rows[i].serialized);
}

static void refused(void **state)
{
    static const char *const rows[] = {
        "",
        " ",
        "x",
        "nul",
        "NULL",
        "True",
        "-",
        "01",
        "1.",
        ".5",
        "1e",
        "+1",
        "1x",
        "[1,]",
        "[,1]",
        "[1",
        "[1}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "{1:2}",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"a\tb\"",
        "\"\xff\"",
        "\"\xc3\"",
        "\xef\xbb\xbf[]",
        "1 2",
        "[1]]",
        "'a'",
        "/**/1",
        "nan",
        "Infinity",
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_reads(span_str(rows[i]), NULL);
    assert_reads(span_of("1\0", 2), NULL);
}

static void nul_bytes_are_allowed_when_escaped(void **state)
{
    struct php_doc *d = php_doc_new();
    struct php_value *v = php_read_json(d, span_str("{\"\\u0000k\":\"a\\u0000\"}"));
    struct php_key key = {.text = span_of("\0k", 2)};

    assert_non_null(v);
    assert_non_null(php_get_key(v, &key));
    assert_bytes("value", php_string(php_get_key(v, &key)), span_of("a\0", 2));
    php_doc_free(d);
}

/* What PHP encodes as JSON comes back as the same value, floats that look whole excepted. */
static void recorded_json(void **state)
{
    json_t *root = vectors_load("php-serialize.json");
    size_t i, read_n = 0;
    json_t *vector;

    json_array_foreach(json_object_get(root, "encode"), i, vector)
    {
        struct php_doc *d = php_doc_new();
        struct php_value *want = php_vector_value(d, json_object_get(vector, "value"));
        const char *forms[] = {"json_unescaped_unicode", "json_default"};
        for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
            if (!json_is_string(json_object_get(vector, forms[f])))
                continue;
            struct php_value *got = php_read_json(d, vectors_text(vector, forms[f]));
            assert_non_null(got);
            if (php_type(want) == PHP_FLOAT && php_type(got) == PHP_INT)
                assert_true((double)php_int(got) == php_float(want));
            else
                assert_true(php_is_equal(got, want));
            read_n++;
        }
        php_doc_free(d);
    }
    assert_true(read_n > 100);
    json_decref(root);
}

static bool is_nested_read(size_t depth)
{
    struct php_doc *d = php_doc_new();
    struct buf json = {0};

    for (size_t i = 0; i < depth; i++)
        buf_putc(&json, '[');
    for (size_t i = 0; i < depth; i++)
        buf_putc(&json, ']');
    bool is_read = php_read_json(d, buf_span(&json)) != NULL;
    buf_fini(&json);
    php_doc_free(d);
    return is_read;
}

static void depth_is_limited(void **state)
{
    assert_true(is_nested_read(PHP_DEPTH_MAX));
    assert_false(is_nested_read(PHP_DEPTH_MAX + 1));
    assert_false(is_nested_read(1000000));
}

static bool is_list_read(size_t n)
{
    struct php_doc *d = php_doc_new();
    struct buf json = {0};

    buf_putc(&json, '[');
    for (size_t i = 0; i < n; i++)
        buf_puts(&json, i + 1 < n ? "0," : "0]");
    bool is_read = php_read_json(d, buf_span(&json)) != NULL;
    buf_fini(&json);
    php_doc_free(d);
    return is_read;
}

static void elements_are_limited(void **state)
{
    assert_true(is_list_read(PHP_ELEMENTS_MAX));
    assert_false(is_list_read(PHP_ELEMENTS_MAX + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),
        cmocka_unit_test(refused),
        cmocka_unit_test(nul_bytes_are_allowed_when_escaped),
        cmocka_unit_test(recorded_json),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(elements_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
