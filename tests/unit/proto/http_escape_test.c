/* Percent-encoding (RFC 3986 §2.1) and the '+' of forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/http.h"

static void expect(const char *in, bool is_query, const char *out, size_t out_len)
{
    struct buf got = {0};
    assert_true(http_percent_decode(span_str(in), is_query, &got));
    assert_int_equal(got.len, out_len);
    if (out_len > 0)
        assert_memory_equal(got.at, out, out_len);
    buf_fini(&got);
}

static void test_decode(void **unused)
{
    expect("", false, "", 0);
    expect("a%20b", false, "a b", 3);
    expect("a+b", false, "a+b", 3);
    expect("a+b%2B", true, "a b+", 4);
    expect("%41%4a%4A", false, "AJJ", 3);
    expect("%00%ff", false, "\0\xff", 2);
    expect("%25%32%35", false, "%25", 3); /* once, not twice */
}

static void test_bad_escapes_leave_the_buffer_alone(void **unused)
{
    static const char *const bad[] = {"%",   "%4",   "a%",       "a%4", "%4g",
                                      "%g4", "%%41", "ok%20%zz", "%-1"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out = {0};
        buf_puts(&out, "kept");
        if (http_percent_decode(span_str(bad[i]), false, &out))
            fail_msg("\"%s\" was decoded", bad[i]);
        assert_string_equal(buf_cstr(&out), "kept");
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_bad_escapes_leave_the_buffer_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
