/* cidr: what is in a set of addresses and what is not. */
#include "net/cidr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct addr address(const char *text)
{
    struct addr a = {.family = AF_UNIX};
    if (text)
        assert_int_equal(addr_parse(text, &a), 0);
    return a;
}

static void members(void **state)
{
    static const struct {
        const char *cidr;
        const char *addr; /* NULL: a unix peer */
        bool want;
    } table[] = {
        {"10.0.0.0/8", "10.255.0.1:1", true},
        {"10.0.0.0/8", "11.0.0.1:1", false},
        {"10.9.9.9/8", "10.0.0.1:1", true}, /* bits behind the mask do not count */
        {"192.168.1.128/25", "192.168.1.128:1", true},
        {"192.168.1.128/25", "192.168.1.127:1", false},
        {"127.0.0.1", "127.0.0.1:1", true},
        {"127.0.0.1", "127.0.0.2:1", false},
        {"0.0.0.0/0", "8.8.8.8:1", true},
        {"0.0.0.0/0", "[::1]:1", false},
        {"::1", "[::1]:1", true},
        {"::1", "[::2]:1", false},
        {"2001:db8::/33", "[2001:db8:7fff::1]:1", true},
        {"2001:db8::/33", "[2001:db8:8000::1]:1", false},
        {"::/0", "[fe80::1]:1", true},
        {"::/0", "127.0.0.1:1", false},
        {"::/80", "[::1]:1", true},
        /* IPv4 peers of an IPv6 socket are stored as IPv4 (net/addr.h). */
        {"::ffff:10.0.0.0/104", "10.1.2.3:1", true},
        {"::ffff:10.0.0.0/104", "11.1.2.3:1", false},
        {"::ffff:192.0.2.1", "192.0.2.1:1", true},
        {"::ffff:0:0/96", "8.8.8.8:1", true},
        {"::ffff:0:0/96", "[::1]:1", false},
        {"unix", NULL, true},
        {"unix", "127.0.0.1:1", false},
        {"0.0.0.0/0", NULL, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct cidr c;
        struct addr a = address(table[i].addr);
        assert_int_equal(cidr_parse(table[i].cidr, &c), 0);
        if (cidr_has(&c, &a) != table[i].want)
            fail_msg("row %zu: %s %s", i, table[i].cidr, table[i].addr ? table[i].addr : "unix");
    }
}

static void refused(void **state)
{
    static const char *const table[] = {
        "",       "10.0.0.0/33", "10.0.0.0/",  "10.0.0/8",   "::1/129",    "/8",
        "unix/8", "localhost",   "1.2.3.4/-1", "1.2.3.4/8x", "1.2.3.4:80", "::ffff:10.0.0.0/95"};
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct cidr c;
        int rc = cidr_parse(table[i], &c);
        if (rc != -EINVAL)
            fail_msg("\"%s\": %d", table[i], rc);
    }
}

static void sets(void **state)
{
    struct cidr_set set = {0};
    struct addr a = address("10.1.1.1:1"), b = address("[::1]:1"), c = address("9.9.9.9:1");
    struct cidr one;
    assert_false(cidr_set_has(&set, &a));
    assert_int_equal(cidr_parse("10.0.0.0/8", &one), 0);
    cidr_set_add(&set, &one);
    assert_int_equal(cidr_parse("::1", &one), 0);
    cidr_set_add(&set, &one);
    assert_true(cidr_set_has(&set, &a));
    assert_true(cidr_set_has(&set, &b));
    assert_false(cidr_set_has(&set, &c));
    cidr_set_fini(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members),
        cmocka_unit_test(refused),
        cmocka_unit_test(sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
