/* Spans: compared, trimmed, searched, cut and read as numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/span.h"

static void check(struct span s, const char *want)
{
    assert_int_equal(s.len, strlen(want));
    if (s.len)
        assert_memory_equal(s.at, want, s.len);
}

static void comparing(void **state)
{
    assert_true(span_eq(span_of(NULL, 0), span_str("")));
    assert_true(span_is(span_str("abc"), "abc"));
    assert_false(span_is(span_str("abc"), "ab"));
    assert_true(span_eq_nocase(span_str("Sec-WebSocket-Key"), "sec-websocket-KEY"));
    assert_false(span_eq_nocase(span_str("abc"), "abcd"));
    /* '[' and '{' differ by the same bit as upper and lower case do */
    assert_false(span_eq_nocase(span_str("["), "{"));
}

static uint8_t lower(unsigned c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Every byte against every other, in the words that are compared at once and in their rest. */
static void comparing_without_case(void **state)
{
    enum { LEN = 11 };
    uint8_t a[LEN] = "HEAD-LINES!";
    char b[LEN + 1] = "head-lines!";
    for (size_t at = 0; at < LEN; at++) {
        for (unsigned x = 0; x < 256; x++) {
            for (unsigned y = 0; y < 256; y++) {
                a[at] = (uint8_t)x;
                b[at] = (char)y;
                assert_int_equal(span_same_nocase(a, b, LEN), lower(x) == lower(y));
            }
        }
        a[at] = (uint8_t)(b[at] = '-');
    }
}

static void trimming(void **state)
{
    check(span_trim(span_str(" \t a b\r\n")), "a b");
    check(span_trim(span_str(" \t\r\n ")), "");
    check(span_trim(span_of(NULL, 0)), "");
    check(span_skip(span_str("abc"), 2), "c");
    check(span_skip(span_str("abc"), 9), "");
    check(span_skip(span_of(NULL, 0), 1), "");
}

static void cutting(void **state)
{
    struct span rest = span_str("a,,b");
    assert_int_equal(span_find(rest, ','), 1);
    assert_int_equal(span_find(rest, 'x'), -1);
    assert_int_equal(span_find(span_of(NULL, 0), 'x'), -1);
    check(span_cut(&rest, ','), "a");
    check(span_cut(&rest, ','), "");
    assert_non_null(rest.at);
    check(span_cut(&rest, ','), "b");
    assert_null(rest.at);
    check(span_cut(&rest, ','), "");

    rest = span_str("a,");
    check(span_cut(&rest, ','), "a");
    assert_non_null(rest.at); /* an empty part follows */
    check(span_cut(&rest, ','), "");
    assert_null(rest.at);
}

static void numbers(void **state)
{
    static const char *const bad[] = {
        "", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "99999999999999999999"};
    uint64_t v = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(span_to_u64(span_str(bad[i]), &v));
    assert_int_equal(v, 7);
    assert_true(span_to_u64(span_str("18446744073709551615"), &v));
    assert_int_equal(v, UINT64_MAX);
    assert_true(span_to_u64(span_str("007"), &v));
    assert_int_equal(v, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing), cmocka_unit_test(comparing_without_case),
        cmocka_unit_test(trimming),  cmocka_unit_test(cutting),
        cmocka_unit_test(numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
