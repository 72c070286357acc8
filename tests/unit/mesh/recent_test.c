/* What was just put in beyond the links: found by name, forgotten in time, bounded. */
#include "mesh/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct recent r;

static int start(void **state)
{
    memset(&r, 0, sizeof r);
    return 0;
}

static void add(const char *name, uint16_t port, uint64_t now_ms)
{
    recent_add(&r, INTEREST_GROUPS, span_str(name), (struct gateway_at){.ip = 1, .port = port},
               now_ms);
}

/* Sum of the ports. */
static int ports(enum interest_kind kind, const char *name, uint64_t now_ms)
{
    struct gateway_at at;
    size_t pos = 0;
    int sum = 0;

    while (recent_next(&r, &pos, kind, span_str(name), now_ms, &at))
        sum += at.port;
    return sum;
}

static void found_by_kind_and_name(void **state)
{
    assert_int_equal(ports(INTEREST_GROUPS, "a", 0), 0);
    add("a", 1, 0);
    add("b", 2, 0);
    add("a", 4, 0);
    assert_int_equal(ports(INTEREST_GROUPS, "a", 0), 5);
    assert_int_equal(ports(INTEREST_GROUPS, "b", 0), 2);
    assert_int_equal(ports(INTEREST_UIDS, "a", 0), 0);
}

static void forgotten_in_time(void **state)
{
    add("a", 1, 0);
    add("a", 2, 10);
    assert_int_equal(ports(INTEREST_GROUPS, "a", RECENT_MS - 1), 3);
    assert_int_equal(ports(INTEREST_GROUPS, "a", RECENT_MS), 2);
    assert_int_equal(ports(INTEREST_GROUPS, "a", RECENT_MS + 10), 0);
    assert_int_equal(r.n, 0);
}

static void too_many_are_told(void **state)
{
    for (int i = 0; i < RECENT_MAX; i++)
        add("a", 1, 5);
    assert_false(recent_is_overflown(&r, 5));
    add("b", 1, 6);
    assert_true(recent_is_overflown(&r, 6));
    assert_int_equal(ports(INTEREST_GROUPS, "a", 6), RECENT_MAX);
    assert_int_equal(ports(INTEREST_GROUPS, "b", 6), 0);
    assert_true(recent_is_overflown(&r, 5 + RECENT_MS));
    assert_false(recent_is_overflown(&r, 6 + RECENT_MS));
    add("b", 1, 6 + RECENT_MS);
    assert_int_equal(ports(INTEREST_GROUPS, "b", 6 + RECENT_MS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(found_by_kind_and_name, start),
        cmocka_unit_test_setup(forgotten_in_time, start),
        cmocka_unit_test_setup(too_many_are_told, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
