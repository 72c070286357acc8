/* forwarded: who is believed, and how far to the left. */
#include "chan/forwarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"

static struct cidr_set trusted;

static void add(const char *text)
{
    struct cidr c;
    assert_int_equal(cidr_parse(text, &c), 0);
    cidr_set_add(&trusted, &c);
}

static int setup(void **state)
{
    add("10.0.0.0/8");
    add("fd00::/8");
    add("unix");
    return 0;
}

static int teardown(void **state)
{
    cidr_set_fini(&trusted);
    return 0;
}

/* "" when the peer's own address stays. */
static const char *source(const char *peer, const char *headers, char out[ADDR_TEXT_MAX])
{
    char head[1024];
    struct http_request r;
    struct addr a = {.family = AF_UNIX}, from;
    snprintf(head, sizeof head, "GET / HTTP/1.1\r\nHost: h\r\n%s\r\n", headers);
    assert_true(http_parse_request(span_str(head), 0, &r) > 0);
    if (strcmp(peer, "unix") != 0)
        assert_int_equal(addr_parse(peer, &a), 0);
    if (!forwarded_from(&r, &trusted, &a, &from))
        return "";
    addr_text(&from, out);
    return out;
}

static void sources(void **state)
{
    static const struct {
        const char *peer;
        const char *headers;
        const char *want;
    } table[] = {
        {"10.0.0.1:1", "", ""},
        {"10.0.0.1:1", "X-Forwarded-For: 1.2.3.4\r\n", "1.2.3.4:0"},
        {"11.0.0.1:1", "X-Forwarded-For: 1.2.3.4\r\n", ""},
        {"unix", "x-forwarded-for: 1.2.3.4\r\n", "1.2.3.4:0"},
        {"[fd00::1]:1", "X-Forwarded-For: 1.2.3.4\r\n", "1.2.3.4:0"},
        {"10.0.0.1:1", "X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\n", "1.2.3.4:0"},
        {"10.0.0.1:1", "X-Forwarded-For: 6.6.6.6,1.2.3.4 ,10.0.0.9,fd00::2\r\n", "1.2.3.4:0"},
        {"10.0.0.1:1", "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4, 10.0.0.2\r\n",
         "1.2.3.4:0"},
        {"10.0.0.1:1", "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 10.0.0.2\r\n", "1.2.3.4:0"},
        {"10.0.0.1:1", "X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n", "10.0.0.3:0"},
        {"10.0.0.1:1", "X-Forwarded-For: 1.2.3.4:99\r\n", "1.2.3.4:99"},
        {"10.0.0.1:1", "X-Forwarded-For: 2001:db8::1\r\n", "[2001:db8::1]:0"},
        {"10.0.0.1:1", "X-Forwarded-For: [2001:db8::1]\r\n", "[2001:db8::1]:0"},
        {"10.0.0.1:1", "X-Forwarded-For: [2001:db8::1]:99\r\n", "[2001:db8::1]:99"},
        {"10.0.0.1:1", "X-Forwarded-For: ::ffff:1.2.3.4\r\n", "1.2.3.4:0"},
        {"10.0.0.1:1", "X-Forwarded-For: unknown\r\n", ""},
        {"10.0.0.1:1", "X-Forwarded-For: 80\r\n", ""}, /* a port alone is no address */
        {"10.0.0.1:1", "X-Forwarded-For: 1.2.3.4, x, 10.0.0.2\r\n", "10.0.0.2:0"},
        {"10.0.0.1:1", "X-Forwarded-For: 1.2.3.4,\r\n", ""},
        {"10.0.0.1:1", "X-Forwarded-For: ,\r\n", ""},
        {"10.0.0.1:1", "X-Forwarded-For:\r\n", ""},
        {"10.0.0.1:1", "X-Forwarded-For: [\r\n", ""},
        {"10.0.0.1:1", "X-Forwarded-For: []\r\n", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        char text[ADDR_TEXT_MAX];
        const char *got = source(table[i].peer, table[i].headers, text);
        if (strcmp(got, table[i].want) != 0)
            fail_msg("row %zu: \"%s\", want \"%s\"", i, got, table[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sources)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
