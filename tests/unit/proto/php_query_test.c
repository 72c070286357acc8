/* php_query: the recorded query strings, more of PHP 8.2's corner cases, and the limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/php_request.h"
#include "proto/phpser.h"
#include "support/vectors.h"

static void assert_query(struct span query, struct span want)
{
    struct php_doc *d = php_doc_new();
    struct buf got = {0};

    php_write(php_parse_query(d, query), &got);
    assert_bytes((const char *)query.at, buf_span(&got), want);
    buf_fini(&got);
    php_doc_free(d);
}

static void recorded_queries(void **state)
{
    json_t *root = vectors_load("small-functions.json");
    json_t *vector;
    size_t i;

    assert_int_equal(json_array_size(json_object_get(root, "query_strings")), 36);
    json_array_foreach(json_object_get(root, "query_strings"), i, vector)
        assert_query(vectors_text(vector, "query"), vectors_text(vector, "serialized"));
    json_decref(root);
}

/* As parse_str() of PHP 8.2 answers them. */
static void corner_cases(void **state)
{
    static const char *const rows[][2] = {
        {"", "a:0:{}"},
        {"a[b.c d[e=1", "a:1:{s:9:\"a_b_c_d_e\";s:1:\"1\";}"},
        {"a[x][b=1", "a:1:{s:1:\"a\";a:1:{s:1:\"x\";s:1:\"1\";}}"},
        {"a[ ]=1", "a:1:{s:1:\"a\";a:1:{i:0;s:1:\"1\";}}"},
        {"a[  ]=1", "a:1:{s:1:\"a\";a:1:{s:2:\"  \";s:1:\"1\";}}"},
        {"a[x]y[z]=1", "a:1:{s:1:\"a\";a:1:{s:1:\"x\";s:1:\"1\";}}"},
        {"a[9223372036854775807]=x&a[]=y",
         "a:1:{s:1:\"a\";a:1:{i:9223372036854775807;s:1:\"x\";}}"},
        {"a.b[c.d]=1", "a:1:{s:3:\"a_b\";a:1:{s:3:\"c.d\";s:1:\"1\";}}"},
        {"a%5Bb%5D=1", "a:1:{s:1:\"a\";a:1:{s:1:\"b\";s:1:\"1\";}}"},
        {"%00=1", "a:0:{}"},
        {"a[b%00]=1", "a:1:{s:3:\"a_b\";s:1:\"1\";}"},
        {"a%20=1", "a:1:{s:2:\"a_\";s:1:\"1\";}"},
        {"a[[]=1", "a:1:{s:1:\"a\";a:1:{s:1:\"[\";s:1:\"1\";}}"},
        {"a[-5]=1&a[]=2", "a:1:{s:1:\"a\";a:2:{i:-5;s:1:\"1\";i:-4;s:1:\"2\";}}"},
        {"a[x]=1&a[x][y]=2", "a:1:{s:1:\"a\";a:1:{s:1:\"x\";a:1:{s:1:\"y\";s:1:\"2\";}}}"},
        {" [a]=1", "a:0:{}"},
        {"a=b=c&d==", "a:2:{s:1:\"a\";s:3:\"b=c\";s:1:\"d\";s:1:\"=\";}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_query(span_str(rows[i][0]), span_str(rows[i][1]));
}

static size_t variables_n(size_t in_query)
{
    struct php_doc *d = php_doc_new();
    struct buf query = {0};

    for (size_t i = 0; i < in_query; i++)
        buf_printf(&query, "k%zu=1&", i);
    size_t n = php_len(php_parse_query(d, buf_span(&query)));
    buf_fini(&query);
    php_doc_free(d);
    return n;
}

static void variables_are_limited_as_in_php(void **state)
{
    assert_int_equal(variables_n(1000), 1000);
    assert_int_equal(variables_n(1001), 1000);
}

static bool is_nested_kept(int depth)
{
    struct php_doc *d = php_doc_new();
    struct buf query = {0};

    buf_putc(&query, 'a');
    for (int i = 0; i < depth; i++)
        buf_puts(&query, "[x]");
    bool is_kept = php_len(php_parse_query(d, buf_span(&query))) == 1;
    buf_fini(&query);
    php_doc_free(d);
    return is_kept;
}

/* Two levels are needed around the get array; a variable beyond is left out altogether. */
static void nesting_is_limited(void **state)
{
    assert_true(is_nested_kept(PHP_DEPTH_MAX - 2));
    assert_false(is_nested_kept(PHP_DEPTH_MAX - 1));
    assert_false(is_nested_kept(20000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_queries),
        cmocka_unit_test(corner_cases),
        cmocka_unit_test(variables_are_limited_as_in_php),
        cmocka_unit_test(nesting_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
