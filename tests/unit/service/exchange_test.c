/* What a module reads of an HTTP request: decoded values, cookies, forms, uploads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "service/exchange.h"

static struct gw_http *parse(const char *head, const char *body)
{
    struct http_request r;

    if (http_parse_request(span_str(head), 0, &r) <= 0)
        fail_msg("no request: %s", head);
    return exchange_new(NULL, &r, span_str(body));
}

static void expect(const char *got, const char *want)
{
    if ((got == NULL) != (want == NULL) || (got && strcmp(got, want) != 0))
        fail_msg("got \"%s\", want \"%s\"", got ? got : "(none)", want ? want : "(none)");
}

static void test_the_head(void **state)
{
    struct gw_http *h = parse("GET /a%20b?x=1+2&y=%26&x=3&z&bad=%zz HTTP/1.1\r\nHost: h\r\n"
                              "Cookie: a=1; b=c%3Dd; e\r\nX-One: 1\r\n\r\n",
                              "");

    (void)state;
    expect(gw_http_method(h), "GET");
    expect(gw_http_path(h), "/a%20b");
    expect(gw_http_query(h), "x=1+2&y=%26&x=3&z&bad=%zz");
    expect(gw_http_get(h, "x"), "1 2");
    expect(gw_http_get(h, "y"), "&");
    expect(gw_http_get(h, "z"), "");
    expect(gw_http_get(h, "bad"), "%zz");
    expect(gw_http_get(h, "none"), NULL);
    expect(gw_http_header(h, "x-ONE"), "1");
    expect(gw_http_header(h, "x-two"), NULL);
    expect(gw_http_cookie(h, "b"), "c=d");
    expect(gw_http_cookie(h, "e"), "");
    expect(gw_http_cookie(h, "f"), NULL);
    expect(gw_http_form(h, "x"), NULL);
    exchange_free(h);
}

static void test_an_urlencoded_form(void **state)
{
    struct gw_http *h =
        parse("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n"
              "Content-Type: Application/X-WWW-Form-Urlencoded; charset=utf-8\r\n\r\n",
              "a=b+c&d=%C3%A9");

    (void)state;
    expect(gw_http_form(h, "a"), "b c");
    expect(gw_http_form(h, "d"), "\xc3\xa9");
    expect(gw_http_form(h, "e"), NULL);
    exchange_free(h);
}

static void test_uploads(void **state)
{
    struct gw_upload file;
    struct gw_http *h = parse(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n"
        "Content-Type: multipart/form-data; boundary=XX\r\n\r\n",
        "--XX\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nTrees\r\n"
        "--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../x\"\r\n\r\nbytes\r\n"
        "--XX--\r\n");

    (void)state;
    expect(gw_http_form(h, "title"), "Trees");
    expect(gw_http_form(h, "f"), NULL);
    assert_true(gw_http_upload(h, 0, &file));
    expect(file.field, "f");
    expect(file.filename, "../x");
    expect(file.type, "application/octet-stream");
    assert_int_equal(file.data.len, 5);
    assert_false(gw_http_upload(h, 1, &file));
    exchange_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_head),
        cmocka_unit_test(test_an_urlencoded_form),
        cmocka_unit_test(test_uploads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
