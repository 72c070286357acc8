/* Subscriptions: only first and last members count, churn costs nothing, a new connection all. */
#include "cluster/subscriptions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/map.h"
#include "support/fake_clock.h"

static struct loop *loop;
static struct subscriptions s;
static char said[4096]; /* "+p.g.… -p.g.… " */

static void on_change(void *owner, const char *subject, bool is_wanted)
{
    size_t len = strlen(said);

    assert_ptr_equal(owner, said);
    snprintf(said + len, sizeof said - len, "%c%s ", is_wanted ? '+' : '-', subject);
}

static int start(void **state)
{
    fake_clock_start(1000);
    loop = loop_new();
    said[0] = '\0';
    subscriptions_init(&s, loop, "p", on_change, said);
    return 0;
}

static int end(void **state)
{
    subscriptions_fini(&s);
    loop_free(loop);
    fake_clock_stop();
    return 0;
}

static void turn(uint64_t ms)
{
    fake_clock_advance(ms);
    loop_turn(loop, 0);
    loop_turn(loop, 0);
}

static void said_is(const char *expected)
{
    assert_string_equal(said, expected);
    said[0] = '\0';
}

static void hold(const char *name, bool is_held)
{
    subscriptions_hold(&s, SUBJECT_GROUP, span_str(name), is_held);
}

static void first_and_last_are_told(void **state)
{
    subscriptions_resume(&s, true);
    hold("foo", true);
    said_is("");
    turn(0);
    said_is("+p.g.Zm9v ");
    subscriptions_hold(&s, SUBJECT_UID, span_str("foo"), true);
    turn(0);
    said_is("+p.u.Zm9v ");
    hold("foo", false);
    turn(SUBSCRIPTIONS_LINGER_MS - 1);
    said_is("");
    turn(2);
    said_is("-p.g.Zm9v ");
    assert_int_equal(map_len(s.wishes), 1);
}

static void who_comes_and_goes_in_a_turn_is_not_told(void **state)
{
    subscriptions_resume(&s, true);
    hold("foo", true);
    hold("foo", false);
    hold("bar", false);
    turn(0);
    turn(2 * SUBSCRIPTIONS_LINGER_MS);
    said_is("");
    assert_int_equal(map_len(s.wishes), 0);
}

static void churn_costs_nothing(void **state)
{
    char name[16];

    subscriptions_resume(&s, true);
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 100; i++) {
            snprintf(name, sizeof name, "%d", i);
            hold(name, true);
        }
        turn(5);
        for (int i = 0; i < 100; i++) {
            snprintf(name, sizeof name, "%d", i);
            hold(name, false);
        }
        turn(5);
        said[0] = '\0';
    }
    assert_int_equal(s.subscribed_n, 100);
    assert_int_equal(s.unsubscribed_n, 0);
    turn(2 * SUBSCRIPTIONS_LINGER_MS);
    assert_int_equal(s.subscribed_n, 100);
    assert_int_equal(s.unsubscribed_n, 100);
    assert_int_equal(map_len(s.wishes), 0);
}

static void nothing_is_told_while_paused(void **state)
{
    hold("foo", true);
    turn(0);
    said_is("");
    subscriptions_resume(&s, true);
    turn(0);
    said_is("+p.g.Zm9v ");
    subscriptions_pause(&s);
    hold("foo", false);
    hold("bar", true);
    turn(2 * SUBSCRIPTIONS_LINGER_MS);
    said_is("");
    subscriptions_resume(&s, false);
    turn(0);
    turn(1);
    said_is("-p.g.Zm9v +p.g.YmFy ");
}

static void new_connection_is_told_what_is_held(void **state)
{
    subscriptions_resume(&s, true);
    hold("foo", true);
    hold("bar", true);
    turn(0);
    hold("bar", false);
    said[0] = '\0';
    subscriptions_pause(&s);
    subscriptions_resume(&s, true);
    turn(0);
    said_is("+p.g.Zm9v ");
    turn(2 * SUBSCRIPTIONS_LINGER_MS);
    said_is("");
    assert_int_equal(map_len(s.wishes), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_and_last_are_told, start, end),
        cmocka_unit_test_setup_teardown(who_comes_and_goes_in_a_turn_is_not_told, start, end),
        cmocka_unit_test_setup_teardown(churn_costs_nothing, start, end),
        cmocka_unit_test_setup_teardown(nothing_is_told_while_paused, start, end),
        cmocka_unit_test_setup_teardown(new_connection_is_told_what_is_held, start, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
