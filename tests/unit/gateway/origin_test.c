/* Pages that may connect, and pages that may not. */
#include "gateway/origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/http.h"

static bool is_allowed(const struct conf_list *list, const char *host, const char *origin)
{
    char head[512];
    char line[256] = "";
    if (origin)
        snprintf(line, sizeof(line), "Origin: %s\r\n", origin);
    int n = snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: %s\r\n%s\r\n", host, line);
    struct http_request r;
    assert_int_equal(http_parse_request(span_of(head, (size_t)n), 0, &r), n);
    return origin_is_allowed(list, &r);
}

static void same_host_by_default(void **state)
{
    const struct conf_list none = {0};
    assert_true(is_allowed(&none, "chat.example:7272", NULL));
    assert_true(is_allowed(&none, "chat.example:7272", "http://chat.example:55151"));
    assert_true(is_allowed(&none, "chat.example", "https://chat.example"));
    assert_true(is_allowed(&none, "Chat.Example", "https://chat.example"));
    assert_true(is_allowed(&none, "[::1]:7272", "http://[::1]:55151"));
    assert_true(is_allowed(&none, "127.0.0.1:7272", "http://127.0.0.1:55151"));

    assert_false(is_allowed(&none, "chat.example:7272", "https://evil.example"));
    assert_false(is_allowed(&none, "chat.example", "https://chat.example.evil"));
    assert_false(is_allowed(&none, "chat.example", "https://evilchat.example"));
    assert_false(is_allowed(&none, "chat.example", "null"));
    assert_false(is_allowed(&none, "chat.example", ""));
    assert_false(is_allowed(&none, "chat.example", "https://"));
    assert_false(is_allowed(&none, "[::1]:7272", "http://[::2]:7272"));
    assert_false(is_allowed(&none, "", "https://"));
}

static void the_list_is_exact(void **state)
{
    static const struct conf_item items[] = {{.text = "https://a.example"},
                                             {.text = "http://b.example:8080"}};
    const struct conf_list list = {.at = items, .len = 2};
    assert_true(is_allowed(&list, "chat.example", "https://a.example"));
    assert_true(is_allowed(&list, "chat.example", "HTTPS://A.example"));
    assert_true(is_allowed(&list, "chat.example", "http://b.example:8080"));
    assert_true(is_allowed(&list, "chat.example", NULL));
    assert_false(is_allowed(&list, "chat.example", "http://a.example"));
    assert_false(is_allowed(&list, "chat.example", "http://b.example"));
    assert_false(is_allowed(&list, "chat.example", "https://chat.example"));
    assert_false(is_allowed(&list, "chat.example", "null"));
}

static void a_star_allows_all(void **state)
{
    static const struct conf_item items[] = {{.text = "*"}};
    const struct conf_list list = {.at = items, .len = 1};
    assert_true(is_allowed(&list, "chat.example", "https://anything.example"));
    assert_true(is_allowed(&list, "chat.example", "null"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_host_by_default),
        cmocka_unit_test(the_list_is_exact),
        cmocka_unit_test(a_star_allows_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
