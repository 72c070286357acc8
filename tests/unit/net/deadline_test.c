/* Deadlines against a plain model: each passes once, in its time, unless moved or cleared. */
#include "net/deadline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "support/fake_clock.h"

enum { N = 300, STEPS = 5000 };

struct item {
    struct deadline deadline;
    uint64_t want_ms; /* 0: none */
};

static struct item items[N];
static struct loop *loop;
static uint64_t passed_n;

static void on_passed(struct deadlines *all, struct deadline *d)
{
    struct item *item = CONTAINER_OF(d, struct item, deadline);
    assert_false(deadline_is_set(d));
    assert_true(item->want_ms != 0);
    assert_true(item->want_ms <= loop_now_ms(loop));
    item->want_ms = 0;
    passed_n++;
    if (passed_n % 7 == 0) { /* a callback may set another */
        struct item *other = &items[passed_n % N];
        other->want_ms = loop_now_ms(loop) + 5;
        deadline_set(all, &other->deadline, 5);
    }
}

static void agrees_with_a_model(void **state)
{
    struct deadlines all;
    loop = loop_new();
    uint64_t now_ms = loop_now_ms(loop) + 1;
    fake_clock_start(now_ms);
    assert_int_equal(loop_turn(loop, 0), 0);
    deadlines_init(&all, loop, on_passed);
    srand(3);
    for (int step = 0; step < STEPS; step++) {
        struct item *item = &items[rand() % N];
        if (rand() % 5 == 0) {
            deadline_clear(&all, &item->deadline);
            item->want_ms = 0;
        } else {
            uint64_t delay_ms = 1 + (uint64_t)rand() % 200;
            deadline_set(&all, &item->deadline, delay_ms);
            item->want_ms = loop_now_ms(loop) + delay_ms;
        }
        fake_clock_advance((uint64_t)rand() % 3);
        assert_int_equal(loop_turn(loop, 0), 0);
        for (int i = 0; i < N; i++) {
            assert_true(items[i].want_ms == 0 || items[i].want_ms > loop_now_ms(loop));
            assert_int_equal(deadline_is_set(&items[i].deadline), items[i].want_ms != 0);
        }
    }
    assert_true(passed_n > 100);
    assert_int_equal(loop_timers_n(loop), 1);
    for (int i = 0; i < N; i++)
        deadline_clear(&all, &items[i].deadline);
    assert_int_equal(loop_timers_n(loop), 0);
    deadlines_fini(&all);
    loop_free(loop);
    fake_clock_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_a_model)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
