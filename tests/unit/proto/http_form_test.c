/* Posted forms: parts as browsers write them, and what is no form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gw/err.h>

#include "proto/http_form.h"

static void expect_span(struct span got, const char *want)
{
    if (!want) {
        assert_null(got.at);
        return;
    }
    if (!span_is(got, want))
        fail_msg("got \"%.*s\", want \"%s\"", (int)got.len, (const char *)got.at, want);
}

static const char type[] = "multipart/form-data; charset=utf-8; boundary=\"a;b\"";

/* RFC 7578 §4, as browsers send it. */
static void test_fields_and_files(void **state)
{
    static const char body[] = "--a;b\r\n"
                               "Content-Disposition: form-data; name=\"title\"\r\n\r\n"
                               "Trees\r\n--a;\r\n--a;b\r\n"
                               "content-disposition: form-data; name=f; filename=\"x; y.txt\"\r\n"
                               "Content-Type: text/plain\r\n\r\n"
                               "\r\n--a;b\r\n"
                               "Content-Disposition: form-data; name=\"empty\"\r\n\r\n"
                               "\r\n--a;b--\r\nepilogue";
    struct http_form f;
    struct http_part p;

    (void)state;
    assert_true(http_form_begin(&f, span_str(type), span_of(body, sizeof body - 1)));
    assert_int_equal(http_form_next(&f, &p), 1);
    expect_span(p.name, "title");
    expect_span(p.filename, NULL);
    expect_span(p.data, "Trees\r\n--a;");
    assert_int_equal(http_form_next(&f, &p), 1);
    expect_span(p.name, "f");
    expect_span(p.filename, "x; y.txt");
    expect_span(p.type, "text/plain");
    expect_span(p.data, "");
    assert_int_equal(http_form_next(&f, &p), 1);
    expect_span(p.name, "empty");
    assert_int_equal(http_form_next(&f, &p), 0);
    assert_int_equal(http_form_next(&f, &p), 0);
}

/* A boundary of 71 bytes. */
#define TEN "0123456789"
static const char too_long[] = "multipart/form-data; boundary=" TEN TEN TEN TEN TEN TEN TEN "0";

static void test_what_is_no_form(void **state)
{
    static const char *const bodies[] = {
        "",
        "--a;b",
        "--a;b\r\n",
        "preamble\r\n--a;b--",
        "--a;b\r\nContent-Disposition: form-data; name=x\r\n\r\nno end",
        "--a;b\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--a;b--",
        "--a;b\r\nno colon\r\n\r\nx\r\n--a;b--",
        "--a;bX\r\nContent-Disposition: form-data; name=x\r\n\r\nx\r\n--a;b--",
    };
    static const char *const types[] = {
        "",       "multipart/form-data", "multipart/form-data; boundary=", "text/plain; boundary=x",
        too_long,
    };
    struct http_form f;
    struct http_part p;

    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        assert_true(http_form_begin(&f, span_str(type), span_str(bodies[i])));
        if (http_form_next(&f, &p) != GW_EPROTO)
            fail_msg("taken for a form: %s", bodies[i]);
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (http_form_begin(&f, span_str(types[i]), span_str("")))
            fail_msg("taken for a type of forms: %s", types[i]);
}

static void test_pairs(void **state)
{
    struct span rest = span_str("a=1&&=x&b&c=d=e"), name, value;

    (void)state;
    assert_true(http_next_pair(&rest, '&', &name, &value));
    expect_span(name, "a");
    expect_span(value, "1");
    assert_true(http_next_pair(&rest, '&', &name, &value));
    expect_span(name, "b");
    expect_span(value, "");
    assert_true(http_next_pair(&rest, '&', &name, &value));
    expect_span(name, "c");
    expect_span(value, "d=e");
    assert_false(http_next_pair(&rest, '&', &name, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_and_files),
        cmocka_unit_test(test_what_is_no_form),
        cmocka_unit_test(test_pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
