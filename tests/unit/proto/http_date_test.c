/* Dates of HTTP (RFC 9110 §5.6.7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "proto/http.h"

static void expect_text(int64_t time_s, const char *text)
{
    struct buf out = {0};
    http_put_date(&out, time_s);
    assert_string_equal(buf_cstr(&out), text);
    int64_t again = -1;
    assert_true(http_parse_date(buf_span(&out), &again));
    assert_int_equal(again, time_s);
    buf_fini(&out);
}

static void test_written_and_read_again(void **unused)
{
    expect_text(784111777, "Sun, 06 Nov 1994 08:49:37 GMT"); /* the RFC's example */
    expect_text(0, "Thu, 01 Jan 1970 00:00:00 GMT");
    expect_text(951827696, "Tue, 29 Feb 2000 12:34:56 GMT");
    expect_text(4102444799, "Thu, 31 Dec 2099 23:59:59 GMT");
}

static void test_obsolete_forms(void **unused)
{
    static const char *const same[] = {"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                                       "Sun Nov 06 08:49:37 1994"};
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        int64_t t = 0;
        assert_true(http_parse_date(span_str(same[i]), &t));
        assert_int_equal(t, 784111777);
    }
    int64_t t;
    assert_true(http_parse_date(span_str("Sat Dec 31 23:59:60 2016"), &t)); /* a leap second */
    assert_int_equal(t, 1483228800);
}

/* Two digits are at most 50 years ahead of today. */
static void test_two_digit_years(void **unused)
{
    time_t now = time(NULL);
    struct tm today;
    gmtime_r(&now, &today);
    for (int ahead = -49; ahead <= 50; ahead++) {
        struct buf text = {0};
        int64_t t;
        buf_printf(&text, "Monday, 15-Jun-%02d 00:00:00 GMT", (today.tm_year + ahead) % 100);
        assert_true(http_parse_date(buf_span(&text), &t));
        time_t read = (time_t)t;
        struct tm tm;
        gmtime_r(&read, &tm);
        assert_int_equal(tm.tm_year, today.tm_year + ahead);
        buf_fini(&text);
    }
}

static void test_refused(void **unused)
{
    static const char *const bad[] = {
        "",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 30 Feb 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov  6 08:49:37 94",
        "784111777",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        int64_t t = 42;
        if (http_parse_date(span_str(bad[i]), &t))
            fail_msg("\"%s\" was read as %lld", bad[i], (long long)t);
        assert_int_equal(t, 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_and_read_again),
        cmocka_unit_test(test_obsolete_forms),
        cmocka_unit_test(test_two_digit_years),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
