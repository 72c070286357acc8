/* holdings: by the gateway's word, by one's own joins, and while neither is to be relied on. */
#include "mesh/holdings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <gw/err.h>

#include "base/buf.h"

static void hear(struct holdings *h, enum interest_word word, const char *name)
{
    struct buf body = {0};
    interest_put(&body, &(struct interest_entry){word, INTEREST_GROUPS, span_str(name)});
    assert_int_equal(holdings_hear(h, buf_span(&body)), 0);
    buf_fini(&body);
}

static bool may_have(const struct holdings *h, const char *name)
{
    return holdings_may_have(h, INTEREST_GROUPS, span_str(name));
}

static bool put_in(struct holdings *h, const char *name)
{
    return holdings_put_in(h, INTEREST_GROUPS, span_str(name));
}

static void start_knowing(struct holdings *h)
{
    *h = (struct holdings){0};
    hear(h, INTEREST_KNOWN, "");
}

static void every_name_until_all_were_told(void **state)
{
    struct holdings h = {0};
    hear(&h, INTEREST_HELD, "a");
    assert_true(may_have(&h, "b"));
    hear(&h, INTEREST_KNOWN, "");
    assert_true(may_have(&h, "a"));
    assert_false(may_have(&h, "b"));
    assert_true(holdings_may_have(&h, INTEREST_UIDS, span_str("b"))); /* another kind */
    hear(&h, INTEREST_GONE, "a");
    assert_false(may_have(&h, "a"));
    hear(&h, INTEREST_UNKNOWN, "");
    assert_true(may_have(&h, "b"));
    holdings_fini(&h);
    assert_true(may_have(&h, "b"));
}

static void a_broken_body_is_refused(void **state)
{
    struct holdings h = {0};
    assert_int_equal(holdings_hear(&h, span_of("\x00\x09name", 6)), GW_EPROTO);
    holdings_fini(&h);
}

/* The last member left while a join was on its way to the gateway. */
static void an_own_join_outlives_a_farewell_that_crossed_it(void **state)
{
    struct holdings h;
    start_knowing(&h);
    hear(&h, INTEREST_HELD, "a");
    assert_true(put_in(&h, "a"));
    assert_true(holdings_mark(&h));
    hear(&h, INTEREST_GONE, "a");
    assert_true(may_have(&h, "a"));
    hear(&h, INTEREST_HELD, "a");
    assert_false(holdings_marked(&h));
    assert_true(may_have(&h, "a"));
    hear(&h, INTEREST_GONE, "a");
    assert_false(may_have(&h, "a"));
    holdings_fini(&h);
}

/* Nobody came of it: the client was gone. */
static void an_own_join_is_forgotten_with_its_mark(void **state)
{
    struct holdings h;
    start_knowing(&h);
    assert_true(put_in(&h, "a"));
    assert_true(holdings_mark(&h));
    assert_false(put_in(&h, "b")); /* one mark at a time */
    assert_false(holdings_mark(&h));
    assert_true(may_have(&h, "a"));
    assert_true(holdings_marked(&h));
    assert_false(may_have(&h, "a"));
    assert_true(may_have(&h, "b"));
    assert_true(holdings_mark(&h));
    assert_false(holdings_marked(&h));
    assert_false(may_have(&h, "b"));
    assert_false(holdings_mark(&h)); /* nothing to wait for */
    holdings_fini(&h);
}

static void while_words_are_missed_every_name_counts(void **state)
{
    struct holdings h;
    start_knowing(&h);
    assert_true(put_in(&h, "a"));
    assert_true(holdings_mark(&h));
    assert_false(holdings_miss(&h));
    assert_true(may_have(&h, "b"));
    assert_true(holdings_marked(&h)); /* that one was sent before */
    assert_true(may_have(&h, "b"));
    assert_true(holdings_mark(&h));
    assert_true(may_have(&h, "b"));
    assert_false(holdings_marked(&h));
    assert_false(may_have(&h, "b"));
    holdings_fini(&h);
}

static void joins_that_nobody_confirms_are_bounded(void **state)
{
    enum { JOINS_N = 200000, BYTES_MAX = 2 * 1024 * 1024 };
    struct holdings h;
    char name[32];
    start_knowing(&h);
    for (int i = 0; i < JOINS_N; i++) {
        snprintf(name, sizeof name, "room/%d", i);
        (void)put_in(&h, name);
    }
    assert_in_range(holdings_bytes(&h), 0, BYTES_MAX);
    assert_true(may_have(&h, "room/199999"));
    assert_true(may_have(&h, "b"));
    holdings_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_until_all_were_told),
        cmocka_unit_test(a_broken_body_is_refused),
        cmocka_unit_test(an_own_join_outlives_a_farewell_that_crossed_it),
        cmocka_unit_test(an_own_join_is_forgotten_with_its_mark),
        cmocka_unit_test(while_words_are_missed_every_name_counts),
        cmocka_unit_test(joins_that_nobody_confirms_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
