/* php_array: order, lookup at any size, holes, appending, equality, and merging of sessions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/phpser.h"
#include "support/allocs.h"
#include "support/vectors.h"

static struct php_key number(int64_t n)
{
    return (struct php_key){.is_int = true, .num = n};
}

static struct php_value *read_text(struct php_doc *d, struct span text)
{
    int err;
    struct php_value *v = php_read(d, text, &err);

    assert_non_null(v);
    return v;
}

static void assert_serialized(const struct php_value *v, struct span want)
{
    struct buf got = {0};

    php_write(v, &got);
    assert_bytes("serialized", buf_span(&got), want);
    buf_fini(&got);
}

static void recorded_merges(void **state)
{
    json_t *root = vectors_load("session-merge.json");
    json_t *vector;
    size_t i;

    assert_int_equal(json_array_size(json_object_get(root, "merges")), 21);
    json_array_foreach(json_object_get(root, "merges"), i, vector)
    {
        struct php_doc *d = php_doc_new();
        const struct php_value *base = read_text(d, vectors_text(vector, "base"));
        const struct php_value *update = read_text(d, vectors_text(vector, "update"));
        assert_serialized(php_merge(d, base, update), vectors_text(vector, "result"));
        assert_serialized(base, vectors_text(vector, "base")); /* the sources stay as they were */
        assert_serialized(update, vectors_text(vector, "update"));
        php_doc_free(d);
    }
    json_decref(root);
}

/* Keys of both kinds, across the size where the hash table begins. */
static void entries_are_found_and_keep_their_order(void **state)
{
    enum { N = 3000 };
    struct php_doc *d = php_doc_new();
    struct php_value *array = php_new_array(d);
    const struct php_value *v;
    struct php_key key;
    char text[32];
    size_t pos = 0;

    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof text, i % 2 ? "k%d" : "%d", i);
        php_set(d, array, php_key_of(span_str(text)), php_new_int(d, i));
        assert_int_equal(php_len(array), (size_t)i + 1);
        assert_int_equal(php_int(php_get(array, text)), i);
    }
    for (int i = 0; php_next(array, &pos, &key, &v); i++) {
        assert_int_equal(key.is_int, i % 2 == 0);
        assert_int_equal(php_int(v), i);
    }
    assert_int_equal(pos, N);
    assert_null(php_get(array, "k0"));
    assert_null(php_get(array, "1"));
    php_set(d, array, number(0), php_new_int(d, -1));
    assert_int_equal(php_len(array), N);
    assert_int_equal(php_int(php_get(array, "0")), -1);
    php_doc_free(d);
}

static void unset_keys_lose_their_place(void **state)
{
    struct php_doc *d = php_doc_new();
    struct php_value *array = read_text(d, span_str("a:3:{i:0;i:1;s:1:\"a\";i:2;i:5;i:3;}"));

    assert_true(php_unset(array, php_key_of(span_str("a"))));
    assert_false(php_unset(array, php_key_of(span_str("a"))));
    assert_serialized(array, span_str("a:2:{i:0;i:1;i:5;i:3;}"));
    php_set(d, array, php_key_of(span_str("a")), php_new_int(d, 4));
    assert_serialized(array, span_str("a:3:{i:0;i:1;i:5;i:3;s:1:\"a\";i:4;}"));
    php_doc_free(d);
}

/* A map used as a queue for long: the entries must not grow with the number of operations. */
static void holes_are_reused(void **state)
{
    struct php_doc *d = php_doc_new();
    struct php_value *array = php_new_array(d);
    struct php_value *v = php_new_null(d);

    for (int64_t i = 0; i < 20; i++)
        php_set(d, array, number(i), v);
    struct allocs mark = allocs_mark();
    for (int64_t i = 20; i < 20000; i++) {
        php_set(d, array, number(i), v);
        assert_true(php_unset(array, number(i - 20)));
    }
    assert_int_equal(php_len(array), 20);
    assert_non_null(php_get(array, "19999"));
    assert_null(php_get(array, "19979"));
    assert_true(allocs_since(mark) <= 3);
    php_doc_free(d);
}

static void appending_continues_behind_the_largest_number(void **state)
{
    struct php_doc *d = php_doc_new();
    struct php_value *array = php_new_array(d);
    struct php_value *v = php_new_null(d);

    php_append(d, array, v);
    php_set(d, array, number(7), v);
    php_append(d, array, v);
    assert_serialized(array, span_str("a:3:{i:0;N;i:7;N;i:8;N;}"));
    php_set(d, array, number(INT64_MAX), v);
    php_append(d, array, v);
    assert_int_equal(php_len(array), 4);
    php_doc_free(d);
}

static void equality_is_strict(void **state)
{
    static const char *const texts[] = {
        "N;",
        "b:0;",
        "b:1;",
        "i:0;",
        "i:1;",
        "d:1;",
        "s:1:\"1\";",
        "s:0:\"\";",
        "a:0:{}",
        "a:1:{i:0;i:1;}",
        "a:1:{i:1;i:1;}",
        "a:1:{s:1:\"a\";i:1;}",
        "a:2:{i:0;i:1;i:1;i:2;}",
        "a:2:{i:1;i:2;i:0;i:1;}",
        "a:1:{i:0;a:1:{i:0;i:1;}}",
    };
    struct php_doc *d = php_doc_new();

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
            bool is_equal =
                php_is_equal(read_text(d, span_str(texts[i])), read_text(d, span_str(texts[k])));
            if (is_equal != (i == k))
                fail_msg("%s and %s: %d", texts[i], texts[k], is_equal);
        }
    php_doc_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_merges),
        cmocka_unit_test(entries_are_found_and_keep_their_order),
        cmocka_unit_test(unset_keys_lose_their_place),
        cmocka_unit_test(holes_are_reused),
        cmocka_unit_test(appending_continues_behind_the_largest_number),
        cmocka_unit_test(equality_is_strict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
