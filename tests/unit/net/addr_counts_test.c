/* Counts of addresses: up and down again, and a network of IPv6 is one. */
#include "net/addr_counts.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/idmap.h"

static struct addr at(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(text, &a), 0);
    return a;
}

static void up_and_down(void **state)
{
    struct addr_counts t;
    struct addr one = at("192.0.2.1:5"), other = at("192.0.2.2:5");
    addr_counts_init(&t);
    assert_int_equal(addr_counts_of(&t, &one), 0);
    for (size_t n = 1; n <= 3; n++) {
        addr_counts_add(&t, &one);
        assert_int_equal(addr_counts_of(&t, &one), n);
    }
    assert_int_equal(addr_counts_of(&t, &other), 0);
    for (size_t n = 3; n > 0; n--) {
        assert_int_equal(addr_counts_of(&t, &one), n);
        addr_counts_remove(&t, &one);
    }
    assert_int_equal(addr_counts_of(&t, &one), 0);
    assert_int_equal(idmap_len(t.by_holder), 0);
    addr_counts_fini(&t);
}

static void a_network_of_ipv6_is_one(void **state)
{
    struct addr_counts t;
    struct addr one = at("[2001:db8:0:1::1]:5"), same = at("[2001:db8:0:1:ffff::9]:6");
    struct addr other = at("[2001:db8:0:2::1]:5");
    addr_counts_init(&t);
    addr_counts_add(&t, &one);
    addr_counts_add(&t, &same);
    assert_int_equal(addr_counts_of(&t, &one), 2);
    assert_int_equal(addr_counts_of(&t, &other), 0);
    addr_counts_remove(&t, &one);
    assert_int_equal(addr_counts_of(&t, &same), 1);
    addr_counts_fini(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(up_and_down),
        cmocka_unit_test(a_network_of_ipv6_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
