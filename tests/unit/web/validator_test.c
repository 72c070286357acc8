/* validator: each condition alone, and which one wins (RFC 9110 §13.2.2). */
#include "web/validator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* 784111777 is "Sun, 06 Nov 1994 08:49:37 GMT", the date of RFC 9110 §5.6.7. */
#define SAME "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define AFTER "Sun, 06 Nov 1994 08:49:38 GMT"
#define TAG "\"2ebc98a1.7-64\""

static struct validator ours(void)
{
    struct stat st = {0};
    struct validator v;
    st.st_size = 100;
    st.st_mtim.tv_sec = 784111777;
    st.st_mtim.tv_nsec = 7;
    validator_init(&v, &st);
    return v;
}

static void parse(char *text, size_t text_bytes, const char *headers, struct http_request *r)
{
    int len = snprintf(text, text_bytes, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", headers);
    assert_int_equal(http_parse_request(span_of(text, (size_t)len), 0, r), len);
}

static void check(const char *headers, enum validator_verdict want)
{
    char text[512];
    struct http_request r;
    struct validator v = ours();
    parse(text, sizeof text, headers, &r);
    enum validator_verdict got = validator_judge(&v, &r);
    if (got != want)
        print_error("for %s", headers);
    assert_int_equal(got, want);
}

static void tag_is_made_of_time_and_size(void **state)
{
    struct validator v = ours();
    assert_string_equal(v.etag, TAG);
    assert_int_equal(v.modified_s, 784111777);
}

static void conditions(void **state)
{
    check("", VALIDATOR_SEND);
    check("If-None-Match: " TAG "\r\n", VALIDATOR_NOT_MODIFIED);
    check("If-None-Match: W/" TAG "\r\n", VALIDATOR_NOT_MODIFIED);
    check("If-None-Match: *\r\n", VALIDATOR_NOT_MODIFIED);
    check("If-None-Match: \"other\"\r\n", VALIDATOR_SEND);
    check("If-None-Match: \"a,b\", W/\"x\" ," TAG "\r\n", VALIDATOR_NOT_MODIFIED);
    check("If-None-Match: \"other\"\r\nIf-None-Match: " TAG "\r\n", VALIDATOR_NOT_MODIFIED);
    check("If-None-Match: 2ebc98a1\r\n", VALIDATOR_SEND);
    check("If-None-Match: \"open\r\n", VALIDATOR_SEND);
    check("If-Modified-Since: " SAME "\r\n", VALIDATOR_NOT_MODIFIED);
    check("If-Modified-Since: " AFTER "\r\n", VALIDATOR_NOT_MODIFIED);
    check("If-Modified-Since: " BEFORE "\r\n", VALIDATOR_SEND);
    check("If-Modified-Since: yesterday\r\n", VALIDATOR_SEND);
    check("If-Match: " TAG "\r\n", VALIDATOR_SEND);
    check("If-Match: *\r\n", VALIDATOR_SEND);
    check("If-Match: W/" TAG "\r\n", VALIDATOR_FAILED);
    check("If-Match: \"other\"\r\n", VALIDATOR_FAILED);
    check("If-Unmodified-Since: " SAME "\r\n", VALIDATOR_SEND);
    check("If-Unmodified-Since: " BEFORE "\r\n", VALIDATOR_FAILED);
}

static void precedence(void **state)
{
    check("If-Match: " TAG "\r\nIf-Unmodified-Since: " BEFORE "\r\n", VALIDATOR_SEND);
    check("If-Match: \"other\"\r\nIf-None-Match: " TAG "\r\n", VALIDATOR_FAILED);
    check("If-None-Match: \"other\"\r\nIf-Modified-Since: " SAME "\r\n", VALIDATOR_SEND);
}

static void check_range(const char *headers, bool want)
{
    char text[512];
    struct http_request r;
    struct validator v = ours();
    parse(text, sizeof text, headers, &r);
    if (validator_allows_range(&v, &r) != want)
        print_error("for %s", headers);
    assert_int_equal(validator_allows_range(&v, &r), want);
}

static void if_range(void **state)
{
    check_range("", true);
    check_range("If-Range: " TAG "\r\n", true);
    check_range("If-Range: W/" TAG "\r\n", false);
    check_range("If-Range: \"other\"\r\n", false);
    check_range("If-Range: " SAME "\r\n", true);
    check_range("If-Range: " AFTER "\r\n", false);
    check_range("If-Range: nonsense\r\n", false);
    check_range("If-Range: \r\n", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tag_is_made_of_time_and_size),
        cmocka_unit_test(conditions),
        cmocka_unit_test(precedence),
        cmocka_unit_test(if_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
