/* Timers of modules: stopped from inside and outside, while they run, wait, or have run. */
#include "module/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/fake_clock.h"

enum { STACK_BYTES = 64 * 1024, PERIOD_MS = 10 };

static struct loop *loop;
static struct fibers fibers;
static struct timers timers;
static struct gw *const gw = (struct gw *)&timers; /* only handed through */
static struct gw_timer *self;
static struct co *waiting;
static int runs_n;

static int set_up(void **state)
{
    fake_clock_start(1000);
    loop = loop_new();
    runs_n = 0;
    waiting = NULL;
    timers_init(&timers, loop, &fibers, gw);
    return fibers_init(&fibers, STACK_BYTES, 8);
}

static int tear_down(void **state)
{
    assert_int_equal(fibers_alive_n(&fibers), 0);
    timers_stop_all(&timers);
    assert_int_equal(timers.n, 0);
    assert_true(list_is_empty(&timers.all));
    fibers_fini(&fibers);
    loop_free(loop);
    fake_clock_stop();
    return 0;
}

static void pass(uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i++) {
        fake_clock_advance(1);
        assert_int_equal(loop_turn(loop, 0), 0);
    }
}

static void count(struct gw *given, void *arg)
{
    assert_ptr_equal(given, gw);
    assert_true(fibers_is_inside(&fibers));
    runs_n++;
}

static void count_and_stop(struct gw *given, void *arg)
{
    runs_n++;
    timers_stop(&timers, self);
}

static void count_and_wait(struct gw *given, void *arg)
{
    runs_n++;
    waiting = fibers_self(&fibers);
    fibers_wait(&fibers);
    waiting = NULL;
}

static void wait_and_stop(struct gw *given, void *arg)
{
    count_and_wait(given, arg);
    timers_stop(&timers, self);
}

static void once_is_once(void **state)
{
    assert_non_null(timers_start(&timers, PERIOD_MS, false, count, NULL));
    pass(PERIOD_MS - 1);
    assert_int_equal(runs_n, 0);
    pass(1);
    assert_int_equal(runs_n, 1);
    assert_int_equal(timers.n, 0);
    pass(3 * PERIOD_MS);
    assert_int_equal(runs_n, 1);
}

static void stopped_from_inside(void **state)
{
    self = timers_start(&timers, PERIOD_MS, true, count_and_stop, NULL);
    pass(5 * PERIOD_MS);
    assert_int_equal(runs_n, 1);
    assert_int_equal(timers.n, 0);
}

static void stopped_from_outside(void **state)
{
    self = timers_start(&timers, PERIOD_MS, true, count, NULL);
    pass(3 * PERIOD_MS);
    timers_stop(&timers, self);
    assert_int_equal(timers.n, 0);
    pass(3 * PERIOD_MS);
    assert_int_equal(runs_n, 3);
}

/* Its function waits: the timer's memory must last until it has returned. */
static void stopped_while_it_waits(void **state)
{
    self = timers_start(&timers, PERIOD_MS, true, count_and_wait, NULL);
    pass(PERIOD_MS);
    timers_stop(&timers, self);
    assert_int_equal(timers.n, 1);
    fibers_resume(&fibers, waiting);
    assert_int_equal(timers.n, 0);
    pass(3 * PERIOD_MS);
    assert_int_equal(runs_n, 1);
}

static void stopped_twice_while_it_waits(void **state)
{
    self = timers_start(&timers, PERIOD_MS, true, wait_and_stop, NULL);
    pass(PERIOD_MS);
    timers_stop(&timers, self);
    fibers_resume(&fibers, waiting); /* stops itself, too */
    assert_int_equal(timers.n, 0);
}

/* The next round is counted from its end: slow functions do not pile up. */
static void it_does_not_overlap_itself(void **state)
{
    self = timers_start(&timers, PERIOD_MS, true, count_and_wait, NULL);
    pass(5 * PERIOD_MS);
    assert_int_equal(runs_n, 1);
    fibers_resume(&fibers, waiting);
    pass(PERIOD_MS - 1);
    assert_int_equal(runs_n, 1);
    pass(1);
    assert_int_equal(runs_n, 2);
    timers_stop(&timers, self);
    fibers_resume(&fibers, waiting);
}

/* At the end of the process: none fires any more, none can be added, those that wait end. */
static void the_end_stops_all(void **state)
{
    timers_start(&timers, PERIOD_MS, true, count_and_wait, NULL);
    timers_start(&timers, 2 * PERIOD_MS, true, count, NULL);
    timers_start(&timers, 2 * PERIOD_MS, false, count, NULL);
    pass(PERIOD_MS);
    timers_stop_all(&timers);
    timers_stop_all(&timers);
    assert_int_equal(timers.n, 1);
    assert_null(timers_start(&timers, PERIOD_MS, true, count, NULL));
    pass(5 * PERIOD_MS);
    assert_int_equal(runs_n, 1);
    fibers_resume(&fibers, waiting);
    assert_int_equal(timers.n, 0);
}

/* With a period of nothing the loop would do nothing else. */
static void no_period_is_a_millisecond(void **state)
{
    assert_null(timers_start(&timers, 0, true, NULL, NULL));
    self = timers_start(&timers, 0, true, count, NULL);
    pass(5);
    assert_in_range(runs_n, 1, 5);
    timers_stop(&timers, self);
}

#define TIMERS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TIMERS_TEST(once_is_once),
        TIMERS_TEST(stopped_from_inside),
        TIMERS_TEST(stopped_from_outside),
        TIMERS_TEST(stopped_while_it_waits),
        TIMERS_TEST(stopped_twice_while_it_waits),
        TIMERS_TEST(it_does_not_overlap_itself),
        TIMERS_TEST(the_end_stops_all),
        TIMERS_TEST(no_period_is_a_millisecond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
