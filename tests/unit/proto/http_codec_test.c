/* HTTP/1.1 requests with their bodies: pipelines, both kinds of length, and every refusal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <gw/err.h>

#include "support/feed.h"
#include "support/vector.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST "POST /p HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define GOT_CHUNKED "request POST /p Host=a Transfer-Encoding=chunked "

static const struct codec_conf conf = {.message_max_bytes = 20, .head_max_bytes = 200};

static const struct vector good[] = {
    {"get", BYTES(GET "\r\n"), "request GET / Host=a 0 \n", {0}},
    {"pipeline",
     BYTES(GET "\r\n" POST "Content-Length: 3\r\n\r\nabc" GET "\r\n"),
     "request GET / Host=a 0 \nrequest POST /p Host=a Content-Length=3 3 abc\n"
     "request GET / Host=a 0 \n",
     {0}},
    {"body",
     BYTES(POST "Content-Length: 4\r\n\r\na\0\r\n"),
     "request POST /p Host=a Content-Length=4 4 a\\x00\\x0d\\x0a\n",
     {0}},
    {"longest_body",
     BYTES(POST "Content-Length: 20\r\n\r\n01234567890123456789"),
     "request POST /p Host=a Content-Length=20 20 01234567890123456789\n",
     {0}},
    {"part_of_body", BYTES(POST "Content-Length: 4\r\n\r\nabc"), "", {0}},
    {"empty_body",
     BYTES(POST "Content-Length: 0\r\n\r\n"),
     "request POST /p Host=a Content-Length=0 0 \n",
     {0}},
    {"last",
     BYTES(GET "Connection: close\r\n\r\n" GET "\r\n"),
     "request GET / Host=a Connection=close last 0 \n",
     {0}},
    {"http10", BYTES("GET / HTTP/1.0\r\n\r\nrubbish"), "request GET / last 0 \n", {0}},

    {"chunks",
     BYTES(CHUNKED "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" GET "\r\n"),
     GOT_CHUNKED "5 abcde\nrequest GET / Host=a 0 \n",
     {0}},
    {"no_chunks", BYTES(CHUNKED "0\r\n\r\n"), GOT_CHUNKED "0 \n", {0}},
    {"chunk_sizes",
     BYTES(CHUNKED "0A\r\n0123456789\r\n00a\r\n0123456789\r\n000\r\n\r\n"),
     GOT_CHUNKED "20 01234567890123456789\n",
     {0}},
    {"chunk_extensions",
     BYTES(CHUNKED "1;a=b\r\nx\r\n1 \t; c=\"d\"\r\ny\r\n0;e\r\n\r\n"),
     GOT_CHUNKED "2 xy\n",
     {0}},
    {"trailers",
     BYTES(CHUNKED "1\r\nx\r\n0\r\nA: b\r\nC:\r\n\r\n" GET "\r\n"),
     GOT_CHUNKED "1 x\nrequest GET / Host=a 0 \n",
     {0}},
    {"line_ends_in_chunk",
     BYTES(CHUNKED "4\r\n\r\n0\r\r\n0\r\n\r\n"),
     GOT_CHUNKED "4 \\x0d\\x0a0\\x0d\n",
     {0}},
};

static void test_good_requests(void **unused)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        vector_check(&http_codec, &conf, (struct span){0}, &good[i]);
}

struct refusal {
    const char *name;
    struct span in;
    const char *events;
    const char *status;
    const char *text;
};

#define PROTO "error -1002\n"
#define TOO_BIG "error -1003\n"
#define BAD_CHUNKS PROTO, "400 Bad Request", "The chunked body is malformed."
#define BODY_TOO_BIG TOO_BIG, "413 Content Too Large", "The body is too large."

static const struct refusal refusals[] = {
    {"rubbish", BYTES("rub{"), PROTO, "400 Bad Request", "This is not an HTTP request."},
    {"after_a_good_one", BYTES(GET "\r\n\x01"), "request GET / Host=a 0 \n" PROTO,
     "400 Bad Request", "This is not an HTTP request."},
    {"stray_line", BYTES(GET "no colon\r\n\r\n"), PROTO, "400 Bad Request",
     "A header line has no colon."},
    {"version", BYTES("GET / HTTP/3.0\r\nHost: a\r\n\r\n"), PROTO, "505 HTTP Version Not Supported",
     "Only HTTP/1.1 is spoken here."},
    {"coding", BYTES(POST "Transfer-Encoding: gzip\r\n\r\n"), PROTO, "501 Not Implemented",
     "Chunked is the only transfer coding known here."},
    {"both_lengths", BYTES(POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"), PROTO,
     "400 Bad Request", "Transfer-Encoding contradicts the rest of the request."},
    {"expectation", BYTES(POST "Expect: miracles\r\n\r\n"), PROTO, "417 Expectation Failed",
     "Only 100-continue can be expected here."},
    {"body_too_long", BYTES(POST "Content-Length: 21\r\n\r\n"), BODY_TOO_BIG},
    {"body_far_too_long", BYTES(POST "Content-Length: 18446744073709551615\r\n\r\n"), BODY_TOO_BIG},

    {"chunk_too_long", BYTES(CHUNKED "15\r\n"), BODY_TOO_BIG},
    {"chunks_too_long", BYTES(CHUNKED "1\r\nx\r\n14\r\n"), BODY_TOO_BIG},
    {"chunk_far_too_long", BYTES(CHUNKED "ffffffffffffffff\r\n"), BODY_TOO_BIG},
    {"chunk_size_overflow", BYTES(CHUNKED "10000000000000001\r\n"), BAD_CHUNKS},
    {"chunk_without_size", BYTES(CHUNKED "\r\n"), BAD_CHUNKS},
    {"chunk_with_only_extension", BYTES(CHUNKED ";a\r\n"), BAD_CHUNKS},
    {"chunk_signed", BYTES(CHUNKED "-1\r\n"), BAD_CHUNKS},
    {"chunk_0x", BYTES(CHUNKED "0x1\r\n"), BAD_CHUNKS},
    {"chunk_blank_before", BYTES(CHUNKED " 1\r\n"), BAD_CHUNKS},
    {"chunk_blank_after", BYTES(CHUNKED "1 \r\n"), BAD_CHUNKS},
    {"chunk_lf", BYTES(CHUNKED "1\n"), BAD_CHUNKS},
    {"chunk_bare_cr", BYTES(CHUNKED "1;a\rb"), BAD_CHUNKS},
    {"chunk_nul", BYTES(CHUNKED "1;\0\r\n"), BAD_CHUNKS},
    {"chunk_delete", BYTES(CHUNKED "1;\x7f\r\n"), BAD_CHUNKS},
    {"chunk_end_missing", BYTES(CHUNKED "1\r\nxy"), BAD_CHUNKS},
    {"chunk_end_lf", BYTES(CHUNKED "1\r\nx\n"), BAD_CHUNKS},
    {"chunk_end_half", BYTES(CHUNKED "1\r\nx\rz"), BAD_CHUNKS},
    {"trailer_folded", BYTES(CHUNKED "0\r\n A: b\r\n"), BAD_CHUNKS},
    {"trailer_without_colon", BYTES(CHUNKED "0\r\nA\r\n"), BAD_CHUNKS},
    {"trailer_lf", BYTES(CHUNKED "0\r\nA: b\n"), BAD_CHUNKS},
};

static void test_refusals(void **unused)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refusal *x = &refusals[i];
        struct buf reply = {0};
        buf_printf(&reply,
                   "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\n"
                   "Content-Length: %zu\r\nConnection: close\r\n\r\n%s\n",
                   x->status, strlen(x->text) + 1, x->text);
        const struct vector v = {x->name, x->in, x->events, buf_span(&reply)};
        vector_check(&http_codec, &conf, (struct span){0}, &v);
        buf_fini(&reply);
    }
}

/* Feeds the start, then the same line over and over until the codec has had enough. */
static void expect_limit(const char *start, const char *line, const char *status)
{
    struct feed f;
    feed_init(&f, &http_codec, &conf);
    feed_bytes(&f, span_str(start));
    for (int i = 0; i < 1000 && !f.error; i++)
        feed_bytes(&f, span_str(line));
    assert_memory_equal(f.replies.at, status, strlen(status));
    assert_true(f.rest_len < 2 * conf.head_max_bytes);
    feed_fini(&f);
}

static void test_limits(void **unused)
{
    expect_limit(GET, "A: b\r\n", "HTTP/1.1 431 ");
    expect_limit("GET /", "abcdef", "HTTP/1.1 414 ");
    expect_limit(CHUNKED "0\r\n", "A: b\r\n", "HTTP/1.1 431 ");
    expect_limit(CHUNKED "0\r\n", "A", "HTTP/1.1 431 ");
    expect_limit(CHUNKED "1;", "A", "HTTP/1.1 400 ");
    expect_limit("", "M", "HTTP/1.1 501 ");
}

/* Feeds the start, n times 'x', and the end; returns the code of the error or 0. */
static int error_of(const char *start, int n, const char *end)
{
    struct feed f;
    feed_init(&f, &http_codec, &conf);
    feed_bytes(&f, span_str(start));
    for (int i = 0; i < n; i++)
        feed_bytes(&f, span_str("x"));
    feed_bytes(&f, span_str(end));
    int error = f.error;
    feed_fini(&f);
    return error;
}

/* The last size that passes, and the first that does not. */
static void test_borders(void **unused)
{
    assert_int_equal(error_of(CHUNKED "1;", 252, "\r\n"), 0); /* 256 bytes */
    assert_int_equal(error_of(CHUNKED "1;", 254, ""), GW_EPROTO);
    assert_int_equal(error_of(CHUNKED "1;", 253, ""), 0);
    assert_int_equal(error_of(CHUNKED "0\r\nA:", 194, "\r\n\r\n"), 0); /* 200 bytes */
    assert_int_equal(error_of(CHUNKED "0\r\nA:", 195, "\r\n\r\n"), GW_ETOOBIG);
}

/* RFC 9110 §10.1.1 */
static void test_continue(void **unused)
{
    static const char head[] = POST "Content-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
    static const char events[] =
        "request POST /p Host=a Content-Length=2 Expect=100-Continue 2 ab\n";
    struct feed f;
    feed_init(&f, &http_codec, &conf);
    feed_bytes(&f, span_str(head));
    assert_string_equal(buf_cstr(&f.replies), "HTTP/1.1 100 Continue\r\n\r\n");
    feed_bytes(&f, span_str("ab"));
    assert_string_equal(feed_events(&f), events);
    buf_clear(&f.events);
    buf_clear(&f.replies);

    char whole[sizeof(head) + 2];
    memcpy(whole, head, sizeof(head) - 1);
    memcpy(whole + sizeof(head) - 1, "ab", 3);
    feed_bytes(&f, span_str(whole)); /* the body is here already: no word is needed */
    assert_string_equal(feed_events(&f), events);
    assert_int_equal(f.replies.len, 0);

    feed_bytes(&f, span_of(whole, strlen(whole) - 1)); /* or on its way */
    assert_int_equal(f.replies.len, 0);
    feed_bytes(&f, span_str("b"));

    /* A 1.0 client would take the word for the answer. */
    feed_bytes(&f,
               span_str("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
    assert_int_equal(f.replies.len, 0);
    assert_int_equal(f.error, 0);
    feed_fini(&f);
}

static void test_encode_is_plain(void **unused)
{
    uint8_t to[4];
    assert_int_equal(http_codec.encode(to, span_str("HTTP"), false), 4);
    assert_memory_equal(to, "HTTP", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_requests), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_borders),       cmocka_unit_test(test_limits),
        cmocka_unit_test(test_continue),      cmocka_unit_test(test_encode_is_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
