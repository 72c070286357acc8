/* Heads of answers and small whole answers, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/http.h"
#include "support/spawn.h"

enum { RFC_DATE = 784111777 }; /* the example of RFC 9110 §5.6.7 */

static void test_reasons(void **unused)
{
    assert_string_equal(http_reason(200), "OK");
    assert_string_equal(http_reason(404), "Not Found");
    assert_string_equal(http_reason(505), "HTTP Version Not Supported");
    assert_string_equal(http_reason(299), "Unknown");
}

static void test_status_and_header(void **unused)
{
    struct buf out = {0};
    http_put_status(&out, 404, RFC_DATE);
    http_put_header(&out, "X-A", span_str("b c"));
    http_put_header(&out, "X-E", span_str(""));
    assert_string_equal(buf_cstr(&out),
                        "HTTP/1.1 404 Not Found\r\n"
                        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nX-A: b c\r\nX-E: \r\n");
    buf_fini(&out);
}

static void test_error(void **unused)
{
    struct buf out = {0};
    http_put_error(&out, 400, "No.", RFC_DATE);
    assert_string_equal(buf_cstr(&out), "HTTP/1.1 400 Bad Request\r\n"
                                        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                        "Content-Type: text/plain; charset=utf-8\r\n"
                                        "Content-Length: 4\r\nConnection: close\r\n\r\nNo.\n");
    buf_fini(&out);
}

static void put_value(void *value)
{
    struct buf out = {0};
    http_put_header(&out, "X", span_str(value));
    buf_fini(&out);
}

/* A value with a line end would be a header of its author's own: the process ends instead. */
static void test_no_line_ends_in_values(void **unused)
{
    char good[] = "a", cr[] = "a\rb", lf[] = "a\nSet-Cookie: b";
    assert_int_equal(spawn_call(put_value, good, 10000, NULL), 0);
    assert_int_not_equal(spawn_call(put_value, cr, 10000, NULL), 0);
    assert_int_not_equal(spawn_call(put_value, lf, 10000, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_status_and_header),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_no_line_ends_in_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
