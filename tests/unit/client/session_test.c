/* Session values: read with any type in them, changed, and compared as PHP's !== does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gw/gateway.h>

#include "client/session.h"
#include "support/vectors.h"

static void start(struct session_values *v, const char *raw)
{
    session_init(v, span_str(raw), false);
}

/* What would be written, or "unchanged". */
static void expect_written(struct session_values *v, const char *want)
{
    struct buf out = {0};

    if (session_is_changed(v, &out))
        assert_bytes("written", buf_span(&out), span_str(want));
    else
        assert_string_equal("unchanged", want);
    buf_fini(&out);
    session_fini(v);
}

static void test_reading_any_type(void **state)
{
    struct session_values v;
    const struct gw_session *s = &v.handle;

    start(&v, "a:7:{s:1:\"s\";s:2:\"42\";s:1:\"i\";i:-7;s:1:\"d\";d:1.5;s:1:\"t\";b:1;"
              "s:1:\"n\";N;s:1:\"a\";a:0:{}i:12;s:1:\"x\";}");
    assert_string_equal(gw_session_str(s, "s", "?"), "42");
    assert_string_equal(gw_session_str(s, "i", "?"), "-7");
    assert_string_equal(gw_session_str(s, "n", "?"), "?");
    assert_string_equal(gw_session_str(s, "a", "?"), "?");
    assert_string_equal(gw_session_str(s, "12", "?"), "x"); /* an integer key */
    assert_null(gw_session_str(s, "absent", NULL));
    assert_int_equal(gw_session_int(s, "s", 0), 42);
    assert_int_equal(gw_session_int(s, "i", 0), -7);
    assert_int_equal(gw_session_int(s, "d", 0), 1);
    assert_int_equal(gw_session_int(s, "a", 5), 5);
    assert_true(gw_session_real(s, "d", 0) > 1.4 && gw_session_real(s, "d", 0) < 1.6);
    assert_true(gw_session_bool(s, "t", false));
    assert_false(gw_session_bool(s, "n", true));
    assert_true(gw_session_has(s, "n"));
    assert_int_equal(gw_session_len(s), 7);
    session_fini(&v);
}

/* Floats are text as PHP writes them, and texts are floats, with a point in any locale. */
static void test_floats(void **state)
{
    struct session_values v;
    const struct gw_session *s = &v.handle;

    start(&v, "a:5:{s:1:\"d\";d:0.1;s:1:\"w\";d:3;s:1:\"b\";d:1.0E+25;s:1:\"t\";s:4:\"-2.5\";"
              "s:1:\"x\";s:3:\"2.x\";}");
    assert_string_equal(gw_session_str(s, "d", "?"), "0.1");
    assert_string_equal(gw_session_str(s, "w", "?"), "3");
    assert_string_equal(gw_session_str(s, "b", "?"), "1.0E+25");
    assert_float_equal(gw_session_real(s, "t", 0), -2.5, 0);
    assert_float_equal(gw_session_real(s, "x", 7), 7, 0);
    session_fini(&v);
}

static void test_only_differences_are_written(void **state)
{
    struct session_values v;

    start(&v, "a:1:{s:1:\"k\";s:1:\"v\";}");
    assert_string_equal(gw_session_str(&v.handle, "k", ""), "v");
    expect_written(&v, "unchanged");

    start(&v, "a:1:{s:1:\"k\";s:1:\"v\";}");
    assert_int_equal(gw_session_set_str(&v.handle, "k", "v"), 0); /* the same value again */
    expect_written(&v, "unchanged");

    start(&v, "a:1:{s:1:\"k\";s:1:\"7\";}");
    assert_int_equal(gw_session_set_int(&v.handle, "k", 7), 0); /* the same number, another type */
    expect_written(&v, "a:1:{s:1:\"k\";i:7;}");

    start(&v, "a:2:{s:1:\"a\";i:1;s:1:\"b\";i:2;}");
    assert_int_equal(gw_session_unset(&v.handle, "a"), 0);
    assert_int_equal(gw_session_set_int(&v.handle, "a", 1), 0); /* the order is another one */
    expect_written(&v, "a:2:{s:1:\"b\";i:2;s:1:\"a\";i:1;}");

    start(&v, "");
    assert_int_equal(gw_session_set_json(&v.handle, "m", "{\"x\":[1,\"2\"]}"), 0);
    expect_written(&v, "a:1:{s:1:\"m\";a:1:{s:1:\"x\";a:2:{i:0;i:1;i:1;s:1:\"2\";}}}");
}

/* worker-gateway.json, session_null: an empty session is written as no bytes at all. */
static void test_clearing(void **state)
{
    struct session_values v;

    start(&v, "a:1:{s:1:\"k\";s:1:\"v\";}");
    assert_int_equal(gw_session_clear(&v.handle), 0);
    expect_written(&v, "");

    start(&v, "a:0:{}");
    assert_int_equal(gw_session_clear(&v.handle), 0);
    expect_written(&v, "unchanged");
}

static void test_bytes_that_are_no_map_read_as_empty(void **state)
{
    static const char *const bad[] = {"not serialized", "i:1;", "a:1:{s:1:\"k\";",
                                      "O:8:\"stdClass\":0:{}"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct session_values v;
        start(&v, bad[i]);
        assert_int_equal(gw_session_len(&v.handle), 0);
        assert_int_equal(gw_session_set_str(&v.handle, "k", "v"), 0);
        expect_written(&v, "a:1:{s:1:\"k\";s:1:\"v\";}");
    }
}

static void test_a_read_only_session_refuses_changes(void **state)
{
    struct gw_session *s = session_new(span_str("a:1:{s:1:\"k\";s:1:\"v\";}"));

    assert_int_equal(gw_session_set_str(s, "k", "w"), GW_ECONTEXT);
    assert_int_equal(gw_session_clear(s), GW_ECONTEXT);
    assert_int_equal(gw_session_set_str(NULL, "k", "w"), GW_ECONTEXT);
    assert_string_equal(gw_session_str(s, "k", ""), "v");
    char *json = gw_session_json(s, NULL);
    assert_string_equal(json, "{\"k\":\"v\"}");
    gw_free(json);
    gw_session_free(s);
}

/* What gw_update_session() of the current client does here is not written again. */
static void test_a_change_written_elsewhere(void **state)
{
    struct session_values v;
    struct php_doc *doc = php_doc_new();
    const struct php_value *update = php_read_json(doc, span_str("{\"u\":{\"b\":2}}"));

    start(&v, "a:1:{s:1:\"u\";a:1:{s:1:\"a\";i:1;}}");
    session_replace(&v, update, true);
    char *json = gw_session_json(&v.handle, NULL);
    assert_string_equal(json, "{\"u\":{\"a\":1,\"b\":2}}");
    gw_free(json);
    php_doc_free(doc);
    expect_written(&v, "unchanged");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading_any_type),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_only_differences_are_written),
        cmocka_unit_test(test_clearing),
        cmocka_unit_test(test_bytes_that_are_no_map_read_as_empty),
        cmocka_unit_test(test_a_read_only_session_refuses_changes),
        cmocka_unit_test(test_a_change_written_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
