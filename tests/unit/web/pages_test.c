/* pages: the answers to requests, head and body, without a connection. */
#include "web/pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/mem.h"
#include "support/tmpdir.h"

enum { BIG_BYTES = 200000 };

static struct tmpdir dir;
static struct conf_item header_item = {.text = "X-Site: test", .file = "x.conf", .line = 1};
static struct web_conf conf = {
    .index = "index.html",
    .csp = "default-src 'none'",
    .headers = {.at = &header_item, .len = 1},
    .websocket_port = 7272,
};

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define COMMON                                                                                     \
    "Content-Security-Policy: default-src 'none'\r\n"                                              \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "Referrer-Policy: same-origin\r\n"                                                             \
    "X-Site: test\r\n"
#define VALIDATORS "ETag: \"2ebc98a1.0-5\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define TEXT "Content-Type: text/plain; charset=utf-8\r\n"

static void write_dated(const char *name, const char *content)
{
    const char *path = tmpdir_write(&dir, name, content);
    const struct timespec then[2] = {{.tv_sec = 784111777}, {.tv_sec = 784111777}};
    assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
}

static int set_up(void **state)
{
    dir = tmpdir_make();
    write_dated("index.html", "hello");
    tmpdir_write(&dir, "none.txt", "");
    tmpdir_mkdir(&dir, "sub");
    char *big = mem_zalloc(BIG_BYTES + 1);
    memset(big, 'b', BIG_BYTES);
    tmpdir_write(&dir, "big.txt", big);
    mem_free(big);
    return 0;
}

static int tear_down(void **state)
{
    tmpdir_remove(&dir);
    return 0;
}

static void ask(const char *request, struct answer *a)
{
    struct pages *pages = pages_open(&conf, dir.path);
    assert_non_null(pages);
    struct http_request r;
    struct span text = span_str(request);
    assert_int_equal(http_parse_request(text, 0, &r), text.len);
    pages_answer(pages, &r, 784111777, a);
    pages_close(pages);
}

static void check(const char *request, const char *want, bool is_last)
{
    struct answer a = {0};
    ask(request, &a);
    assert_int_equal(a.fd, -1);
    assert_string_equal(buf_cstr(&a.bytes), want);
    assert_int_equal(a.is_last, is_last);
    answer_fini(&a);
}

#define FILE_HEAD                                                                                  \
    "HTTP/1.1 200 OK\r\n" DATE COMMON "Content-Type: text/html; charset=utf-8\r\n"                 \
    "Content-Length: 5\r\nAccept-Ranges: bytes\r\n" VALIDATORS "Cache-Control: no-cache\r\n"

static void whole_files(void **state)
{
    check("GET / HTTP/1.1\r\nHost: h\r\n\r\n", FILE_HEAD "\r\nhello", false);
    check("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n", FILE_HEAD "\r\n", false);
    check("GET /?a=b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
          FILE_HEAD "Connection: close\r\n\r\nhello", true);
    check("GET / HTTP/1.0\r\n\r\n", FILE_HEAD "Connection: close\r\n\r\nhello", true);
    check("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
          FILE_HEAD "Connection: keep-alive\r\n\r\nhello", false);
    check("GET http://h/index.html HTTP/1.1\r\nHost: h\r\n\r\n", FILE_HEAD "\r\nhello", false);
}

static void conditions_and_ranges(void **state)
{
    check("GET / HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"2ebc98a1.0-5\"\r\n\r\n",
          "HTTP/1.1 304 Not Modified\r\n" DATE COMMON VALIDATORS "Cache-Control: no-cache\r\n\r\n",
          false);
    check("GET / HTTP/1.1\r\nHost: h\r\nIf-Match: \"x\"\r\n\r\n",
          "HTTP/1.1 412 Precondition Failed\r\n" DATE COMMON TEXT
          "Content-Length: 24\r\n\r\n412 Precondition Failed\n",
          false);
    check("GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=1-3\r\n\r\n",
          "HTTP/1.1 206 Partial Content\r\n" DATE COMMON
          "Content-Type: text/html; charset=utf-8\r\nContent-Length: 3\r\n"
          "Accept-Ranges: bytes\r\nContent-Range: bytes 1-3/5\r\n" VALIDATORS
          "Cache-Control: no-cache\r\n\r\nell",
          false);
    check("HEAD / HTTP/1.1\r\nHost: h\r\nRange: bytes=1-3\r\n\r\n", FILE_HEAD "\r\n", false);
    check("GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=1-3\r\nIf-Range: \"x\"\r\n\r\n",
          FILE_HEAD "\r\nhello", false);
    check("GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=5-\r\n\r\n",
          "HTTP/1.1 416 Range Not Satisfiable\r\n" DATE COMMON TEXT
          "Content-Length: 26\r\nContent-Range: bytes */5\r\n\r\n416 Range Not Satisfiable\n",
          false);
}

static void errors(void **state)
{
    check("GET /missing HTTP/1.1\r\nHost: h\r\n\r\n",
          "HTTP/1.1 404 Not Found\r\n" DATE COMMON TEXT "Content-Length: 14\r\n\r\n404 Not Found\n",
          false);
    check("GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n",
          "HTTP/1.1 400 Bad Request\r\n" DATE COMMON TEXT
          "Content-Length: 16\r\n\r\n400 Bad Request\n",
          false);
    check("GET /sub?a=b HTTP/1.1\r\nHost: h\r\n\r\n",
          "HTTP/1.1 301 Moved Permanently\r\n" DATE COMMON TEXT
          "Content-Length: 22\r\nLocation: /sub/?a=b\r\n\r\n301 Moved Permanently\n",
          false);
    check("DELETE / HTTP/1.1\r\nHost: h\r\n\r\n",
          "HTTP/1.1 405 Method Not Allowed\r\n" DATE COMMON TEXT
          "Content-Length: 23\r\nAllow: GET, HEAD\r\n\r\n405 Method Not Allowed\n",
          false);
    check("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
          "HTTP/1.1 400 Bad Request\r\n" DATE COMMON TEXT
          "Content-Length: 28\r\nConnection: close\r\n\r\nA header line has no colon.\n",
          true);
}

/* A body that is not wanted: a short one is skipped by the connection, others end it. */
static void bodies(void **state)
{
    static const struct {
        const char *request;
        bool is_last;
    } rows[] = {
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n", false},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n", true},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer a = {0};
        ask(rows[i].request, &a);
        assert_int_equal(a.status, 405);
        assert_int_equal(a.is_last, rows[i].is_last);
        answer_fini(&a);
    }
}

static void large_files_are_left_to_the_connection(void **state)
{
    struct answer a = {0};
    ask("GET /big.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=7-\r\n\r\n", &a);
    assert_int_equal(a.status, 206);
    assert_true(a.fd >= 0);
    assert_int_equal(a.file_at, 7);
    assert_int_equal(a.file_len, BIG_BYTES - 7);
    answer_fini(&a);
    assert_int_equal(a.fd, -1);

    ask("HEAD /big.txt HTTP/1.1\r\nHost: h\r\n\r\n", &a);
    assert_int_equal(a.fd, -1);
    answer_fini(&a);

    ask("GET /none.txt HTTP/1.1\r\nHost: h\r\n\r\n", &a);
    assert_int_equal(a.fd, -1);
    assert_non_null(strstr(buf_cstr(&a.bytes), "Content-Length: 0\r\n"));
    answer_fini(&a);
}

static void made_pages(void **state)
{
    check("GET /health HTTP/1.1\r\nHost: h\r\n\r\n",
          "HTTP/1.1 200 OK\r\n" DATE COMMON TEXT
          "Content-Length: 2\r\nCache-Control: no-store\r\n\r\nok",
          false);
    check("GET /gatehouse.json HTTP/1.1\r\nHost: h\r\n\r\n",
          "HTTP/1.1 200 OK\r\n" DATE COMMON
          "Content-Type: application/json\r\nContent-Length: 23\r\n"
          "Cache-Control: no-cache\r\n\r\n{\"websocket_port\":7272}",
          false);
}

static void refusals(void **state)
{
    struct pages *pages = pages_open(&conf, dir.path);
    struct answer a = {0};
    pages_refuse(pages, 431, "The request head is too large.", 784111777, &a);
    assert_string_equal(buf_cstr(&a.bytes),
                        "HTTP/1.1 431 Request Header Fields Too Large\r\n" DATE COMMON TEXT
                        "Content-Length: 31\r\nConnection: close\r\n\r\n"
                        "The request head is too large.\n");
    assert_true(a.is_last);
    answer_fini(&a);
    pages_close(pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files),
        cmocka_unit_test(conditions_and_ranges),
        cmocka_unit_test(errors),
        cmocka_unit_test(bodies),
        cmocka_unit_test(large_files_are_left_to_the_connection),
        cmocka_unit_test(made_pages),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
