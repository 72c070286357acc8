/* Addresses: text both ways, classes of networks, what the kernel sees. */
#include "net/addr.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/compiler.h"

static void texts_are_parsed_and_written(void **state)
{
    static const struct {
        const char *in;
        const char *out;
    } rows[] = {
        {"127.0.0.1:80", "127.0.0.1:80"},
        {"[::1]:80", "[::1]:80"},
        {":80", "0.0.0.0:80"},
        {"80", "0.0.0.0:80"},
        {"0", "0.0.0.0:0"},
        {"255.255.255.255:65535", "255.255.255.255:65535"},
        {"[2001:db8::1]:443", "[2001:db8::1]:443"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a;
        char text[ADDR_TEXT_MAX];
        assert_int_equal(addr_parse(rows[i].in, &a), 0);
        addr_text(&a, text);
        assert_string_equal(text, rows[i].out);
    }
}

static void what_is_no_address_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        ":",
                                        "65536",
                                        "1.2.3.4",
                                        "1.2.3:80",
                                        "1.2.3.4:",
                                        "1.2.3.4:x",
                                        "1.2.3.4:65536",
                                        "::1:80",
                                        "[::1]",
                                        "[]:80",
                                        "[::1:80",
                                        "name:80",
                                        "1.2.3.4:-1",
                                        " 1.2.3.4:80",
                                        "1.2.3.4:80 ",
                                        "1.2.3.4.5:80",
                                        "[1.2.3.4]:80",
                                        "[:80"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct addr a;
        if (addr_parse(texts[i], &a) != -EINVAL)
            fail_msg("\"%s\" was taken", texts[i]);
    }
}

static struct addr parsed(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(text, &a), 0);
    return a;
}

static void networks_are_told_apart(void **state)
{
    static const struct {
        const char *text;
        bool is_loopback;
        bool is_private;
    } rows[] = {
        {"127.0.0.1:1", true, true},       {"127.255.0.9:1", true, true},
        {"10.0.0.1:1", false, true},       {"172.16.0.1:1", false, true},
        {"172.31.255.255:1", false, true}, {"172.15.0.1:1", false, false},
        {"172.32.0.1:1", false, false},    {"192.168.4.5:1", false, true},
        {"192.169.0.1:1", false, false},   {"169.254.1.1:1", false, true},
        {"8.8.8.8:1", false, false},       {"[::1]:1", true, true},
        {"[fd00::1]:1", false, true},      {"[fe80::1]:1", false, true},
        {"[febf::1]:1", false, true},      {"[fec0::1]:1", false, false},
        {"[2001:db8::1]:1", false, false}, {"0.0.0.0:1", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a = parsed(rows[i].text);
        if (addr_is_loopback(&a) != rows[i].is_loopback ||
            addr_is_private(&a) != rows[i].is_private)
            fail_msg("%s is taken for another network", rows[i].text);
    }
    assert_int_equal(addr_ip4(&(struct addr){.family = AF_INET, .ip = {1, 2, 3, 4}}), 0x01020304);
    assert_int_equal(addr_ip4(&(struct addr){.family = AF_INET6, .ip = {1, 2, 3, 4}}), 0);
}

static void the_kernels_form_goes_both_ways(void **state)
{
    static const char *const texts[] = {"10.1.2.3:99", "[2001:db8::7]:65535"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct addr a = parsed(texts[i]);
        struct addr b;
        struct sockaddr_storage sa;
        char text[ADDR_TEXT_MAX];
        socklen_t len = addr_to_sockaddr(&a, &sa);
        assert_int_equal(len, i ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
        addr_from_sockaddr((struct sockaddr *)&sa, &b);
        addr_text(&b, text);
        assert_string_equal(text, texts[i]);
    }
}

static void an_ipv4_peer_on_an_ipv6_socket_is_ipv4(void **state)
{
    struct addr mapped = parsed("[::ffff:10.1.2.3]:5");
    struct sockaddr_storage sa;
    struct addr a;
    char text[ADDR_TEXT_MAX];
    (void)addr_to_sockaddr(&mapped, &sa);
    addr_from_sockaddr((struct sockaddr *)&sa, &a);
    addr_text(&a, text);
    assert_string_equal(text, "10.1.2.3:5");
    addr_ip_text(&a, text);
    assert_string_equal(text, "10.1.2.3");
}

static void a_unix_peer_has_no_address(void **state)
{
    struct sockaddr sa = {.sa_family = AF_UNIX};
    struct addr a;
    char text[ADDR_TEXT_MAX];
    addr_from_sockaddr(&sa, &a);
    addr_text(&a, text);
    assert_string_equal(text, "unix");
    assert_true(addr_is_loopback(&a));
}

static void urls_are_split(void **state)
{
    struct span scheme, place;
    assert_true(addr_split_url(span_str("websocket://0.0.0.0:7272"), &scheme, &place));
    assert_true(span_is(scheme, "websocket"));
    assert_true(span_is(place, "0.0.0.0:7272"));
    assert_true(addr_split_url(span_str("unix:///run/x.sock"), &scheme, &place));
    assert_true(span_is(scheme, "unix"));
    assert_true(span_is(place, "/run/x.sock"));
    assert_true(addr_split_url(span_str("text://"), &scheme, &place));
    assert_int_equal(place.len, 0);
    assert_false(addr_split_url(span_str("127.0.0.1:80"), &scheme, &place));
    assert_false(addr_split_url(span_str("://x"), &scheme, &place));
    assert_false(addr_split_url(span_str("a:/"), &scheme, &place));
    assert_false(addr_split_url(span_str(""), &scheme, &place));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_parsed_and_written),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(networks_are_told_apart),
        cmocka_unit_test(the_kernels_form_goes_both_ways),
        cmocka_unit_test(an_ipv4_peer_on_an_ipv6_socket_is_ipv4),
        cmocka_unit_test(a_unix_peer_has_no_address),
        cmocka_unit_test(urls_are_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
