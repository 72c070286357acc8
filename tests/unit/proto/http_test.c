/* Request heads of HTTP/1.1 (RFC 9112): what is read from good ones, and which ones are refused. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/buf.h"
#include "proto/http.h"
#include "support/vector.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

/* What was read, as text: "METHOD path?query 1.minor", "name=value" per header, "keep" or "close",
 * "chunked", "length N", "stray". */
static void put_request(struct buf *out, const struct http_request *r)
{
    buf_put_span(out, r->method);
    buf_putc(out, ' ');
    buf_put_span(out, r->path);
    buf_putc(out, '?');
    buf_put_span(out, r->query);
    buf_printf(out, " 1.%d", r->minor);
    for (size_t i = 0; i < r->headers_n; i++) {
        buf_putc(out, ' ');
        buf_put_span(out, r->headers[i].name);
        buf_putc(out, '=');
        buf_put_span(out, r->headers[i].value);
    }
    buf_puts(out, r->is_keep_alive ? " keep" : " close");
    if (r->is_chunked)
        buf_puts(out, " chunked");
    if (r->content_length > 0)
        buf_printf(out, " length %llu", (unsigned long long)r->content_length);
    if (r->has_stray_lines)
        buf_puts(out, " stray");
}

static const struct {
    const char *name;
    struct span in;
    const char *text;
} good[] = {
    {"plain", BYTES(GET "\r\n"), "GET /? 1.1 Host=a keep"},
    {"lf_only", BYTES("GET / HTTP/1.1\nHost: a\n\n"), "GET /? 1.1 Host=a keep"}, /* §2.2 */
    {"empty_line_before", BYTES("\r\n" GET "\r\n"), "GET /? 1.1 Host=a keep"},   /* §2.2 */
    {"lf_before", BYTES("\n" GET "\r\n"), "GET /? 1.1 Host=a keep"},
    {"query", BYTES("GET /a%20b?c=d?e HTTP/1.1\r\nHost: a\r\n\r\n"),
     "GET /a%20b?c=d?e 1.1 Host=a keep"},
    {"fragment", BYTES("GET /p?q#f?g HTTP/1.1\r\nHost: a\r\n\r\n"), "GET /p?q 1.1 Host=a keep"},
    {"absolute", BYTES("GET http://h:80/p?q HTTP/1.1\r\nHost: h\r\n\r\n"), /* §3.2.2 */
     "GET /p?q 1.1 Host=h keep"},
    {"absolute_without_path", BYTES("GET HTTPS://h?q HTTP/1.1\r\nHost: h\r\n\r\n"),
     "GET /?q 1.1 Host=h keep"},
    {"asterisk", BYTES("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"), "OPTIONS *? 1.1 Host=h keep"},
    {"http10", BYTES("GET / HTTP/1.0\r\n\r\n"), "GET /? 1.0 close"},
    {"http10_keep_alive", BYTES("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
     "GET /? 1.0 Connection=Keep-Alive keep"},
    {"close", BYTES(GET "Connection: x, Close\r\n\r\n"),
     "GET /? 1.1 Host=a Connection=x, Close close"},
    {"blanks_around_value", BYTES(GET "X:\t a b \t\r\nY:\r\nZ:z\r\n\r\n"),
     "GET /? 1.1 Host=a X=a b Y= Z=z keep"},
    {"token_names", BYTES(GET "!#$%&'*+-.^_`|~09AZaz: 1\r\n\r\n"),
     "GET /? 1.1 Host=a !#$%&'*+-.^_`|~09AZaz=1 keep"},
    {"length", BYTES(POST "Content-Length: 12\r\n\r\n"),
     "POST /? 1.1 Host=a Content-Length=12 keep length 12"},
    {"same_length_twice", BYTES(POST "Content-Length: 5, 5\r\ncontent-length: 5\r\n\r\n"),
     "POST /? 1.1 Host=a Content-Length=5, 5 content-length=5 keep length 5"},
    {"chunked", BYTES(POST "Transfer-Encoding: Chunked\r\n\r\n"),
     "POST /? 1.1 Host=a Transfer-Encoding=Chunked keep chunked"},
    {"stray_line", BYTES(GET "no colon line\r\n\r\n"), "GET /? 1.1 Host=a keep stray"},
    {"short_stray_line", BYTES("GET / HTTP/1.1\nHost: a\nX\n\n"), "GET /? 1.1 Host=a keep stray"},
    {"http10_both", BYTES("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"),
     "GET /? 1.0 Connection=keep-alive, close close"},
    {"ipv6_host", BYTES("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
     "GET /? 1.1 Host=[::1]:80 keep"},
    {"empty_host", BYTES("GET / HTTP/1.1\r\nHost:\r\n\r\n"), "GET /? 1.1 Host= keep"},
};

static void test_good_requests(void **unused)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct http_request r;
        struct buf text = {0};
        for (size_t len = 0; len < good[i].in.len; len++)
            assert_int_equal(http_parse_request(span_of(good[i].in.at, len), 0, &r), 0);
        ssize_t n = http_parse_request(good[i].in, good[i].in.len, &r);
        if (n != (ssize_t)good[i].in.len)
            print_error("%s: %zd, %s\n", good[i].name, n, r.error_text);
        assert_int_equal(n, good[i].in.len);
        put_request(&text, &r);
        assert_string_equal(buf_cstr(&text), good[i].text);
        buf_fini(&text);
    }
}

static const struct {
    const char *name;
    struct span in;
    int status;
} bad[] = {
    {"two_empty_lines", BYTES("\r\n\r\n" GET "\r\n"), 400},
    {"no_method", BYTES(" / HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"method_chars", BYTES("GE(T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"method_length", BYTES("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\nHost: a\r\n\r\n"),
     501},
    {"no_target", BYTES("GET\r\nHost: a\r\n\r\n"), 400},
    {"no_version", BYTES("GET /\r\nHost: a\r\n\r\n"), 400},
    {"two_blanks", BYTES("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"tab", BYTES("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"blank_at_end", BYTES("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 400},
    {"target_with_control", BYTES("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"target_is_no_path", BYTES("GET a HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"target_without_authority", BYTES("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"asterisk_of_get", BYTES("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"small_http", BYTES("GET / http/1.1\r\nHost: a\r\n\r\n"), 400},
    {"version_digits", BYTES("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), 400},
    {"version_2", BYTES("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505},
    {"version_0", BYTES("GET / HTTP/0.9\r\n\r\n"), 505},
    {"no_host", BYTES("GET / HTTP/1.1\r\n\r\n"), 400},
    {"two_hosts", BYTES(GET "Host: a\r\n\r\n"), 400},
    {"two_hosts_in_10", BYTES("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), 400},
    {"list_of_hosts", BYTES("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), 400},
    {"blank_in_host", BYTES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400},
    {"path_in_host", BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400},
    {"folded", BYTES(GET "X: a\r\n b: c\r\n\r\n"), 400},             /* §5.2 */
    {"folded_without_colon", BYTES(GET "X: a\r\n\tb\r\n\r\n"), 400}, /* §5.2 */
    {"blank_before_first", BYTES("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400},
    {"blank_before_colon", BYTES(GET "X : a\r\n\r\n"), 400}, /* §5.1 */
    {"name_chars", BYTES(GET "X(: a\r\n\r\n"), 400},
    {"no_name", BYTES(GET ": a\r\n\r\n"), 400},
    {"bare_cr", BYTES(GET "X: a\rb\r\n\r\n"), 400}, /* §2.2 */
    {"cr_cr_lf", BYTES(GET "X: a\r\r\n\r\n"), 400},
    {"nul", BYTES(GET "X: a\0b\r\n\r\n"), 400},
    {"cr_in_stray_line", BYTES(GET "a\rb\r\n\r\n"), 400},
    {"nul_in_stray_line", BYTES(GET "a\0b\r\n\r\n"), 400},
    {"delete", BYTES(GET "X: a\x7f\r\n\r\n"), 400},
    {"control", BYTES(GET "X: a\x01\r\n\r\n"), 400},
    {"nul_in_line", BYTES("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"), 400},
    {"cr_in_line", BYTES("GET / HTTP/1.1\rHost: a\r\n\r\n"), 400},
    /* §6.3: what smuggling is made of */
    {"both_lengths", BYTES(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {"zero_and_chunked", BYTES(POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n"),
     400},
    {"two_lengths", BYTES(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n"), 400},
    {"list_of_lengths", BYTES(POST "Content-Length: 5, 6\r\n\r\n"), 400},
    {"length_and_nothing", BYTES(POST "Content-Length: 5,\r\n\r\n"), 400},
    {"no_length", BYTES(POST "Content-Length:\r\n\r\n"), 400},
    {"signed_length", BYTES(POST "Content-Length: +5\r\n\r\n"), 400},
    {"negative_length", BYTES(POST "Content-Length: -5\r\n\r\n"), 400},
    {"hex_length", BYTES(POST "Content-Length: 0x5\r\n\r\n"), 400},
    {"length_overflow", BYTES(POST "Content-Length: 18446744073709551616\r\n\r\n"), 400},
    {"chunked_in_10", BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400},
    {"gzip", BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501},
    {"identity", BYTES(POST "Transfer-Encoding: identity\r\n\r\n"), 501},
    {"xchunked", BYTES(POST "Transfer-Encoding: xchunked\r\n\r\n"), 501},
    {"chunked_twice",
     BYTES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 501},
    {"chunked_and_empty", BYTES(POST "Transfer-Encoding: chunked,\r\n\r\n"), 501},
    {"no_coding", BYTES(POST "Transfer-Encoding:\r\n\r\n"), 501},
};

static void test_bad_requests(void **unused)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct http_request r;
        ssize_t n = http_parse_request(bad[i].in, 0, &r);
        if (n != GW_EPROTO || r.error_status != bad[i].status)
            print_error("%s: %zd, status %d\n", bad[i].name, n, r.error_status);
        assert_int_equal(n, GW_EPROTO);
        assert_int_equal(r.error_status, bad[i].status);
        assert_true(strlen(r.error_text) > 0);
    }
}

/* What can no longer become a request is not waited for. */
static void test_refused_early(void **unused)
{
    static const struct span starts[] = {BYTES("\x16\x03"), BYTES(" "), BYTES("GET\t"),
                                         BYTES("\r\n\r"), BYTES("\0")};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        struct http_request r;
        assert_int_equal(http_parse_request(starts[i], 100, &r), GW_EPROTO);
        assert_int_equal(r.error_status, 400);
    }
}

static void expect_limit(const char *in, size_t max, ssize_t rc, int status)
{
    struct http_request r;
    assert_int_equal(http_parse_request(span_str(in), max, &r), rc);
    assert_int_equal(r.error_status, status);
}

static void test_limits(void **unused)
{
    static const char head[] = GET "\r\n";
    enum { LEN = sizeof(head) - 1 };
    expect_limit(head, LEN, LEN, 0);
    expect_limit(head, LEN - 1, GW_ETOOBIG, 431);
    expect_limit(GET, LEN - 2, GW_ETOOBIG, 431); /* its end cannot come in time */
    expect_limit(GET, LEN - 1, 0, 0);
    expect_limit("GET /long", 9, GW_ETOOBIG, 414); /* RFC 9112 §3 */
    expect_limit("GET /long", 10, 0, 0);
    expect_limit("GET /long HTTP/1.1\r\nHost: a\r\n\r\n", 12, GW_ETOOBIG, 414);

    expect_limit("\r\nGET /abc\n", 10, GW_ETOOBIG, 414);

    struct buf in = {0};
    buf_puts(&in, GET);
    for (int i = 1; i < HTTP_HEADERS_MAX; i++)
        buf_puts(&in, "X: 1\r\n");
    struct http_request r;
    buf_puts(&in, "\r\n");
    assert_int_equal(http_parse_request(buf_span(&in), 0, &r), in.len);
    assert_int_equal(r.headers_n, HTTP_HEADERS_MAX);
    in.len -= 2;
    buf_puts(&in, "X: 1\r\n\r\n");
    assert_int_equal(http_parse_request(buf_span(&in), 0, &r), GW_ETOOBIG);
    assert_int_equal(r.error_status, 431);
    buf_fini(&in);
}

/* A head that trickles in: the same answer, and no byte is searched for its end twice. */
static void test_resume(void **unused)
{
    uint8_t in[] = GET "\r\n";
    size_t searched = 0;
    struct http_request r;
    for (size_t len = 1; len < sizeof(in) - 1; len++) {
        assert_int_equal(http_resume_request(span_of(in, len), 0, &searched, &r), 0);
        assert_in_range(searched, len > 3 ? len - 3 : 0, len);
    }
    assert_int_equal(http_resume_request(span_of(in, sizeof(in) - 1), 0, &searched, &r),
                     sizeof(in) - 1);
}

/* Whether a head passes in which `at` marks the place of c. */
static bool passes_with(const char *head, char c)
{
    char text[64];
    struct http_request r;
    size_t len = strlen(head);
    assert_true(len < sizeof(text));
    memcpy(text, head, len + 1);
    *strchr(text, '@') = c;
    return http_parse_request(span_of(text, len), 0, &r) > 0;
}

static bool is_one_of(const char *set, int c)
{
    return c != '\0' && strchr(set, c);
}

/* RFC 9110 §5.6.2 and §5.5, RFC 3986 §3.2.2: of all bytes, which may be where. */
static void test_every_byte(void **unused)
{
    for (int c = 0; c < 256; c++) {
        bool is_alnum = c < 128 && isalnum(c);
        bool is_control = c < ' ' || c == 0x7f;
        assert_int_equal(http_is_token_char((uint8_t)c),
                         is_alnum || is_one_of("!#$%&'*+-.^_`|~", c));
        assert_int_equal(passes_with(GET "a@b: c\r\n\r\n", (char)c),
                         http_is_token_char((uint8_t)c) || c == ':' || c == '\n');
        bool is_value_char = !is_control || c == '\t' || c == '\n';
        assert_int_equal(passes_with(GET "a: b@c\r\n\r\n", (char)c), is_value_char);
        assert_int_equal(passes_with(GET "a: 1234@6789abcd\r\n\r\n", (char)c), is_value_char);
        assert_int_equal(passes_with("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", (char)c),
                         (!is_control && c != ' ' && !is_one_of("/?#@\\<>\"^`{|},", c)) ||
                             c == '\n');
    }
}

static void test_headers_by_name(void **unused)
{
    static const char in[] = GET "X-A: 1\r\nx-a: 2\r\nE:\r\nUpgrade: h2c,  WebSocket ,x\r\n"
                                 "upgrade: other\r\n\r\n";
    struct http_request r;
    assert_int_equal(http_parse_request(span_str(in), 0, &r), strlen(in));
    assert_true(span_is(http_header(&r, "x-A"), "1"));
    assert_non_null(http_header(&r, "e").at);
    assert_int_equal(http_header(&r, "e").len, 0);
    assert_null(http_header(&r, "none").at);
    assert_true(http_header_has(&r, "upgrade", "websocket"));
    assert_true(http_header_has(&r, "Upgrade", "OTHER"));
    assert_true(http_header_has(&r, "Upgrade", "x"));
    assert_false(http_header_has(&r, "Upgrade", "web"));
    assert_false(http_header_has(&r, "Upgrade", "h2c,  WebSocket"));
    assert_false(http_header_has(&r, "none", "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_requests), cmocka_unit_test(test_bad_requests),
        cmocka_unit_test(test_refused_early), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_resume),        cmocka_unit_test(test_headers_by_name),
        cmocka_unit_test(test_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
