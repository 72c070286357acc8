/* Answers to handshakes: what a module may say, and the body that it becomes. */
#include "worker/verdict.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "worker/request.h"

static struct gw_answer answer;
static struct buf body;

static int set_up(void **state)
{
    static const char asked[] = "a:1:{s:6:\"server\";a:1:{s:27:\"HTTP_SEC_WEBSOCKET_PROTOCOL\";"
                                "s:16:\"chat.v2, chat.v1\";}}";
    answer = (struct gw_answer){.request = request_new(span_str(asked))};
    return 0;
}

static int tear_down(void **state)
{
    request_free(answer.request);
    verdict_fini(&answer);
    buf_fini(&body);
    return 0;
}

/* The status, then the text. */
static void check_body(unsigned status, const char *text)
{
    buf_clear(&body);
    verdict_put(&answer, &body);
    assert_in_range(body.len, 2, 100000);
    assert_int_equal(body.at[0] << 8 | body.at[1], status);
    if (!span_is(span_skip(buf_span(&body), 2), text))
        fail_msg("\"%s\" instead of \"%s\"", buf_cstr(&body) + 2, text);
}

static void yes_is_the_default(void **state)
{
    check_body(0, "");
}

static void a_no_says_why(void **state)
{
    gw_answer_refuse(&answer, 429, "too many");
    check_body(429, "too many");
    gw_answer_refuse(&answer, 404, NULL);
    check_body(404, "Not Found");
    gw_answer_refuse(&answer, 503, "");
    check_body(503, "");
}

/* Anything else would not be a no to a browser: 101 above all. */
static void a_no_is_an_error_status(void **state)
{
    static const int odd[] = {0, 101, 200, 399, 600, -1, 65937 /* 401 in 16 bits */};
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        gw_answer_refuse(&answer, odd[i], "no");
        check_body(403, "no");
    }
    gw_answer_refuse(&answer, 400, "no");
    check_body(400, "no");
    gw_answer_refuse(&answer, 599, "no");
    check_body(599, "no");
}

/* What was said before a no is not for the client. */
static void a_no_has_no_headers(void **state)
{
    assert_int_equal(gw_answer_header(&answer, "X-Room", "5"), 0);
    gw_answer_refuse(&answer, 403, "no");
    check_body(403, "no");
}

static void header_lines_cannot_be_smuggled(void **state)
{
    static const struct {
        const char *name, *value;
    } bad[] = {{"X", "a\r\nSet-Cookie: b"},
               {"X", "a\nb"},
               {"X", "\r"},
               {"X\r\nY", "a"},
               {"X: y", "a"},
               {"X ", "a"},
               {" X", "a"},
               {"", "a"},
               {"X Y", "a"},
               {NULL, "a"},
               {"X", NULL},
               {"X\x7f", "a"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (gw_answer_header(&answer, bad[i].name, bad[i].value) != -EINVAL)
            fail_msg("\"%s\": \"%s\" is accepted", bad[i].name, bad[i].value);
    assert_int_equal(gw_answer_header(&answer, "X-One", "a: b"), 0);
    assert_int_equal(gw_answer_header(&answer, "X-Two", ""), 0);
    check_body(0, "X-One: a: b\r\nX-Two: \r\n");
}

static void header_lines_are_bounded(void **state)
{
    static char value[1000];
    int taken_n = 0;
    memset(value, 'v', sizeof(value) - 1);
    while (taken_n < 1000 && gw_answer_header(&answer, "X", value) == 0)
        taken_n++;
    assert_int_equal(taken_n, 16 * 1024 / 1004); /* with "X: " and the line's end */
    assert_int_equal(gw_answer_header(&answer, "X", "short"), 0);
}

/* RFC 6455 §4.2.2: only what the client has asked for. */
static void a_subprotocol_is_one_of_those_asked_for(void **state)
{
    static const char *const bad[] = {"", "chat", "chat.v3", "chat.v2, chat.v1", "CHAT.V1", NULL};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(gw_answer_subprotocol(&answer, bad[i]), -EINVAL);
    check_body(0, "");
    assert_int_equal(gw_answer_subprotocol(&answer, "chat.v1"), 0);
    check_body(0, "Sec-WebSocket-Protocol: chat.v1\r\n");
    assert_int_equal(gw_answer_subprotocol(&answer, "chat.v2"), 0); /* the last word counts */
    assert_int_equal(gw_answer_header(&answer, "X", "y"), 0);
    check_body(0, "X: y\r\nSec-WebSocket-Protocol: chat.v2\r\n");
}

static void who_asked_for_none_gets_none(void **state)
{
    request_free(answer.request);
    answer.request = request_new(span_str("a:0:{}"));
    assert_int_equal(gw_answer_subprotocol(&answer, "chat.v1"), -EINVAL);
}

#define VERDICT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VERDICT_TEST(yes_is_the_default),
        VERDICT_TEST(a_no_says_why),
        VERDICT_TEST(a_no_is_an_error_status),
        VERDICT_TEST(a_no_has_no_headers),
        VERDICT_TEST(header_lines_cannot_be_smuggled),
        VERDICT_TEST(header_lines_are_bounded),
        VERDICT_TEST(a_subprotocol_is_one_of_those_asked_for),
        VERDICT_TEST(who_asked_for_none_gets_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
