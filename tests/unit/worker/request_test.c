/* Handshakes as modules read them; the bytes are those of CMD_ON_WEBSOCKET_CONNECT. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "worker/request.h"

static void test_every_getter(void **state)
{
    static const char body[] =
        "a:3:{s:3:\"get\";a:3:{s:5:\"token\";s:3:\"a "
        "b\";i:7;s:5:\"seven\";s:1:\"l\";a:1:{i:0;s:1:\"1\";}}"
        "s:6:\"server\";a:5:{s:12:\"QUERY_STRING\";s:9:\"token=a+b\";s:11:\"REQUEST_URI\";"
        "s:15:\"/chat?token=a+b\";s:11:\"REMOTE_PORT\";i:54321;s:11:\"SERVER_NAME\";N;"
        "s:15:\"HTTP_USER_AGENT\";s:4:\"test\";}s:6:\"cookie\";a:1:{s:3:\"sid\";s:3:\"x%2\";}}";
    struct gw_request *r = request_new(span_str(body));

    assert_string_equal(gw_request_get(r, "token"), "a b");
    assert_string_equal(gw_request_get(r, "7"), "seven");
    assert_null(gw_request_get(r, "l")); /* a list has no text */
    assert_null(gw_request_get(r, "absent"));
    assert_null(gw_request_get(r, NULL));
    assert_string_equal(gw_request_path(r), "/chat");
    assert_string_equal(gw_request_query(r), "token=a+b");
    assert_string_equal(gw_request_server(r, "REMOTE_PORT"), "54321");
    assert_null(gw_request_server(r, "SERVER_NAME"));
    assert_string_equal(gw_request_header(r, "user-agent"), "test");
    assert_null(gw_request_header(r, "Origin"));
    assert_string_equal(gw_request_cookie(r, "sid"), "x%2");
    request_free(r);
}

static void test_what_is_no_request_reads_as_an_empty_one(void **state)
{
    static const char *const bad[] = {"", "i:1;", "a:1:{", "a:1:{s:6:\"server\";i:1;}",
                                      "O:1:\"a\":0:{}"};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct gw_request *r = request_new(span_str(bad[i]));
        assert_null(gw_request_path(r));
        assert_string_equal(gw_request_query(r), "");
        assert_null(gw_request_get(r, "a"));
        assert_null(gw_request_header(r, "Host"));
        assert_null(gw_request_cookie(r, "a"));
        request_free(r);
    }
    request_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_getter),
        cmocka_unit_test(test_what_is_no_request_reads_as_an_empty_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
