/* php_doc: few allocations, strings that are copied, and values read as the wrong type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/phpser.h"
#include "support/allocs.h"
#include "support/vectors.h"

/* The arena: a document of thousands of values takes a handful of allocations. */
static void documents_take_few_allocations(void **state)
{
    struct buf text = {0};

    php_put_array(&text, 5000);
    for (int i = 0; i < 5000; i++) {
        php_put_int(&text, i);
        php_put_string(&text, span_str("value"));
    }
    php_put_array_end(&text);
    struct allocs mark = allocs_mark();
    struct php_doc *d = php_doc_new();
    int err;
    assert_int_equal(php_len(php_read(d, buf_span(&text), &err)), 5000);
    assert_true(allocs_since(mark) < 20);
    php_doc_free(d);
    buf_fini(&text);
}

static void small_documents_take_two(void **state)
{
    struct allocs mark = allocs_mark();
    struct php_doc *d = php_doc_new();

    for (int i = 0; i < 30; i++)
        (void)php_new_int(d, i);
    assert_int_equal(allocs_since(mark), 2);
    php_doc_free(d);
    php_doc_free(NULL);
}

static void texts_are_copied(void **state)
{
    char text[] = "first";
    struct php_doc *d = php_doc_new();
    struct php_value *array = php_new_array(d);

    php_set(d, array, php_key_of(span_str(text)), php_new_string(d, span_str(text)));
    memset(text, 'x', sizeof text - 1);
    assert_bytes("value", php_string(php_get(array, "first")), span_str("first"));
    assert_null(php_get(array, "xxxxx"));
    php_doc_free(d);
}

static void large_texts_fit(void **state)
{
    enum { LARGE = 3 * 1024 * 1024 };
    struct php_doc *d = php_doc_new();
    struct buf text = {0};

    memset(buf_reserve(&text, LARGE), 'x', LARGE);
    buf_commit(&text, LARGE);
    (void)php_new_int(d, 1);
    assert_bytes("text", php_string(php_new_string(d, buf_span(&text))), buf_span(&text));
    php_doc_free(d);
    buf_fini(&text);
}

static void a_wrong_type_reads_as_empty(void **state)
{
    struct php_doc *d = php_doc_new();
    const struct php_value *text = php_new_string(d, span_str("7"));
    const struct php_value *number = php_new_int(d, 7);

    assert_int_equal(php_int(text), 0);
    assert_false(php_bool(number));
    assert_true(php_float(number) == 0);
    assert_int_equal(php_string(number).len, 0);
    assert_int_equal(php_len(number), 0);
    assert_null(php_get(number, "a"));
    php_doc_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_take_few_allocations),
        cmocka_unit_test(small_documents_take_two),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(large_texts_fit),
        cmocka_unit_test(a_wrong_type_reads_as_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
