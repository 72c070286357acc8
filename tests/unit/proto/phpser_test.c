/* phpser: values and bytes of php-serialize.json both ways, limits, and what is refused. */
#include "proto/phpser.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gw/err.h>

#include "support/vectors.h"
#include "unit/proto/php_vectors.h"

static void recorded_values_are_written_alike(void **state)
{
    json_t *root = vectors_load("php-serialize.json");
    struct buf want = {0}, got = {0};
    json_t *vector;
    size_t i;

    assert_int_equal(json_array_size(json_object_get(root, "encode")), 61);
    json_array_foreach(json_object_get(root, "encode"), i, vector)
    {
        struct php_doc *d = php_doc_new();
        buf_clear(&got);
        php_write(php_vector_value(d, json_object_get(vector, "value")), &got);
        assert_true(vectors_hex(vector, "serialized_hex", &want));
        assert_bytes("serialized", buf_span(&got), buf_span(&want));
        php_doc_free(d);
    }
    buf_fini(&want);
    buf_fini(&got);
    json_decref(root);
}

/* Inputs that PHP reads and we refuse: objects and references (docs/wire.md,
 * section 5), bytes left over. */
static bool is_refused_by_design(struct span in)
{
    static const char *const refused[] = {
        "O:8:\"stdClass\":0:{}", "a:2:{i:0;i:1;i:1;R:2;}", "a:1:{i:0;R:1;}",
        "C:1:\"A\":0:{}",        "a:1:{i:0;i:1;}x",
    };

    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        if (span_is(in, refused[i]))
            return true;
    return false;
}

static void assert_reads_as(const json_t *vector, struct span in)
{
    struct php_doc *d = php_doc_new();
    struct buf got = {0};
    int err = 1;
    struct php_value *v = php_read(d, in, &err);
    bool should_read = json_is_true(json_object_get(vector, "ok")) && !is_refused_by_design(in);

    if ((v != NULL) != should_read)
        fail_msg("%.*s: read %d, want %d", (int)in.len, (const char *)in.at, v != NULL,
                 should_read);
    assert_int_equal(err, should_read ? 0 : GW_EPROTO);
    if (v) {
        php_write(v, &got);
        assert_bytes("written again", buf_span(&got), vectors_text(vector, "serialized_again"));
    }
    buf_fini(&got);
    php_doc_free(d);
}

static void recorded_inputs_are_read_alike(void **state)
{
    json_t *root = vectors_load("php-serialize.json");
    struct buf in = {0};
    size_t refused_n = 0, i;
    json_t *vector;

    assert_int_equal(json_array_size(json_object_get(root, "decode")), 56);
    json_array_foreach(json_object_get(root, "decode"), i, vector)
    {
        assert_true(vectors_hex(vector, "input_hex", &in));
        refused_n += is_refused_by_design(buf_span(&in));
        assert_reads_as(vector, buf_span(&in));
    }
    assert_int_equal(refused_n, 5);
    buf_fini(&in);
    json_decref(root);
}

static void visit_reply(json_t *o, void *ctx)
{
    size_t *replies_n = ctx;
    struct buf reply = {0}, again = {0};
    int err;

    if (json_is_array(json_object_get(o, "request")) && vectors_hex(o, "reply_hex", &reply) &&
        reply.len > 4) {
        struct php_doc *d = php_doc_new();
        struct span payload = span_skip(buf_span(&reply), 4);
        struct php_value *v = php_read(d, payload, &err);
        assert_non_null(v);
        php_write(v, &again);
        assert_bytes("reply", buf_span(&again), payload);
        php_doc_free(d);
        (*replies_n)++;
    }
    buf_fini(&reply);
    buf_fini(&again);
}

static void recorded_replies_are_read_and_written_alike(void **state)
{
    json_t *root = vectors_load("gateway-client.json");
    size_t replies_n = 0;

    vectors_walk(root, visit_reply, &replies_n);
    assert_true(replies_n > 200);
    json_decref(root);
}

static int error_of(struct span in)
{
    struct php_doc *d = php_doc_new();
    int err = 1;
    struct php_value *v = php_read(d, in, &err);

    assert_int_equal(v != NULL, err == 0);
    php_doc_free(d);
    return err;
}

static void input_cut_anywhere_is_refused(void **state)
{
    struct span whole =
        span_str("a:3:{i:0;s:3:\"abc\";s:1:\"k\";a:1:{i:-7;d:1.5;}i:9;S:1:\"\\61\";}");

    assert_int_equal(error_of(whole), 0);
    for (size_t len = 0; len < whole.len; len++)
        assert_int_equal(error_of(span_of(whole.at, len)), GW_EPROTO);
}

static void put_nested(struct buf *out, int depth)
{
    for (int i = 0; i < depth; i++)
        buf_puts(out, "a:1:{i:0;");
    buf_puts(out, "i:1;");
    for (int i = 0; i < depth; i++)
        buf_puts(out, "}");
}

static void depth_is_limited(void **state)
{
    struct buf in = {0};

    put_nested(&in, PHP_DEPTH_MAX);
    assert_int_equal(error_of(buf_span(&in)), 0);
    buf_clear(&in);
    put_nested(&in, PHP_DEPTH_MAX + 1);
    assert_int_equal(error_of(buf_span(&in)), GW_ETOOBIG);
    buf_clear(&in);
    put_nested(&in, 100000);
    assert_int_equal(error_of(buf_span(&in)), GW_ETOOBIG);
    buf_fini(&in);
}

static void put_many(struct buf *out, size_t n)
{
    php_put_array(out, n);
    for (size_t i = 0; i < n; i++) {
        php_put_int(out, (int64_t)i);
        php_put_null(out);
    }
    php_put_array_end(out);
}

static void elements_are_limited(void **state)
{
    struct buf in = {0};

    put_many(&in, PHP_ELEMENTS_MAX);
    assert_int_equal(error_of(buf_span(&in)), 0);
    buf_clear(&in);
    put_many(&in, PHP_ELEMENTS_MAX + 1);
    assert_int_equal(error_of(buf_span(&in)), GW_ETOOBIG);
    buf_fini(&in);
}

/* An array head alone must not make us reserve what it announces. */
static void announced_lengths_are_checked_against_the_input(void **state)
{
    assert_int_equal(error_of(span_str("a:1000000:{i:0;N;}")), GW_EPROTO);
    assert_int_equal(error_of(span_str("a:99999999999999999999:{}")), GW_EPROTO);
    assert_int_equal(error_of(span_str("s:99999999999999999999:\"\";")), GW_EPROTO);
    assert_int_equal(error_of(span_str("s:4294967295:\"\";")), GW_EPROTO);
    assert_int_equal(error_of(span_str("S:1000000:\"a\";")), GW_EPROTO);
}

static void numbers_out_of_range_become_the_nearest(void **state)
{
    struct php_doc *d = php_doc_new();
    int err;

    assert_int_equal(php_int(php_read(d, span_str("i:9223372036854775808;"), &err)), INT64_MAX);
    assert_int_equal(php_int(php_read(d, span_str("i:-9223372036854775808;"), &err)), INT64_MIN);
    assert_int_equal(php_int(php_read(d, span_str("i:-9223372036854775809;"), &err)), INT64_MIN);
    assert_int_equal(php_int(php_read(d, span_str("i:-99999999999999999999999;"), &err)),
                     INT64_MIN);
    php_doc_free(d);
}

static void malformed_numbers_are_refused(void **state)
{
    static const char *const bad[] = {
        "d:;",    "d:.;",   "d:1e;",  "d:1e+;",  "d:0x1p3;", "d: 1;",
        "d:1 ;",  "d:nan;", "d:inf;", "d:+INF;", "d:1",      "i:--5;",
        "i:5.0;", "i:+;",   "b:01;",  "N",       "N:",       "a:1:{i:0;i:1;;}",
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (error_of(span_str(bad[i])) != GW_EPROTO)
            fail_msg("%s was read", bad[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_values_are_written_alike),
        cmocka_unit_test(recorded_inputs_are_read_alike),
        cmocka_unit_test(recorded_replies_are_read_and_written_alike),
        cmocka_unit_test(input_cut_anywhere_is_refused),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(elements_are_limited),
        cmocka_unit_test(announced_lengths_are_checked_against_the_input),
        cmocka_unit_test(numbers_out_of_range_become_the_nearest),
        cmocka_unit_test(malformed_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
