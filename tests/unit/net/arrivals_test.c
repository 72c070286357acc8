/* Connections of one address: bursts, networks of IPv6, and a table that many addresses do not
 * grow. */
#include "net/arrivals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/compiler.h"

enum { NOW_MS = 1000000 };

static struct addr at(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(text, &a), 0);
    return a;
}

static int come(struct arrivals *a, const char *text, int n, uint64_t now_ms)
{
    struct addr peer = at(text);
    int allowed_n = 0;
    for (int i = 0; i < n; i++)
        allowed_n += arrivals_allow(a, &peer, now_ms);
    return allowed_n;
}

static void each_address_has_a_bucket(void **state)
{
    struct arrivals *a = arrivals_new(2, 5);
    assert_int_equal(come(a, "192.0.2.1:1000", 3, NOW_MS), 3);
    assert_int_equal(come(a, "192.0.2.1:2000", 9, NOW_MS), 2);
    assert_int_equal(come(a, "192.0.2.2:1000", 9, NOW_MS), 5);
    assert_int_equal(come(a, "192.0.2.1:1000", 9, NOW_MS + 500), 1);
    assert_int_equal(come(a, "192.0.2.1:1000", 9, NOW_MS + 60000), 5);
    arrivals_free(a);
}

static void a_network_of_ipv6_is_one_address(void **state)
{
    struct arrivals *a = arrivals_new(1, 3);
    assert_int_equal(come(a, "[2001:db8:0:1::1]:1", 2, NOW_MS), 2);
    assert_int_equal(come(a, "[2001:db8:0:1:ffff::]:1", 2, NOW_MS), 1);
    assert_int_equal(come(a, "[2001:db8:0:2::1]:1", 2, NOW_MS), 2);
    /* The bytes of these two begin alike. */
    assert_int_equal(come(a, "32.1.13.184:1", 9, NOW_MS), 3);
    assert_int_equal(come(a, "[2001:db8::1]:1", 9, NOW_MS), 3);
    arrivals_free(a);
}

static void unix_peers_are_not_counted(void **state)
{
    struct arrivals *a = arrivals_new(1, 1);
    const struct addr peer = {.family = AF_UNIX};
    for (int i = 0; i < 10; i++)
        assert_true(arrivals_allow(a, &peer, NOW_MS));
    arrivals_free(a);
}

/* Half a million networks come once each: a new one finds a place, and whoever took all of its
 * tokens is not forgotten over them. */
static void many_addresses_do_not_wash_out_a_fast_one(void **state)
{
    struct arrivals *a = arrivals_new(1, 10);
    struct addr peer = at("[2001:db8::1]:1");
    assert_int_equal(come(a, "203.0.113.1:1", 20, NOW_MS), 10);
    for (uint32_t i = 0; i < 500000; i++) {
        put_u32be(peer.ip + 4, i);
        assert_true(arrivals_allow(a, &peer, NOW_MS));
    }
    assert_int_equal(come(a, "203.0.113.1:1", 1, NOW_MS), 0);
    arrivals_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_has_a_bucket),
        cmocka_unit_test(a_network_of_ipv6_is_one_address),
        cmocka_unit_test(unix_peers_are_not_counted),
        cmocka_unit_test(many_addresses_do_not_wash_out_a_fast_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
