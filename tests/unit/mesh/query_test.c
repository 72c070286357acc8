/* Answers for callbacks that wait: in order, in parts, too late, and none for a wrong one. */
#include "mesh/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gw/err.h>

#include "base/mem.h"
#include "support/fake_clock.h"

enum { STACK_BYTES = 64 * 1024, LINES_N = 2 };

static struct loop *loop;
static struct fibers fibers;
static struct list lines[LINES_N]; /* of two connections */

/* A callback that asks on the lines that it is told, and what came of it. */
struct asking {
    struct query query;
    struct fanout_target targets[LINES_N];
    size_t lines_n;
    bool ends_lines; /* a connection that is late takes all down */
    int late_n;
    int done_n;
};

static int set_up(void **state)
{
    fake_clock_start(1000);
    loop = loop_new();
    for (size_t i = 0; i < LINES_N; i++)
        list_init(&lines[i]);
    return fibers_init(&fibers, STACK_BYTES, 8);
}

static int tear_down(void **state)
{
    assert_int_equal(fibers_alive_n(&fibers), 0);
    for (size_t i = 0; i < LINES_N; i++)
        assert_true(list_is_empty(&lines[i]));
    fibers_fini(&fibers);
    loop_free(loop);
    fake_clock_stop();
    return 0;
}

static void on_late(struct query_slot *slot, void *owner)
{
    struct asking *a = owner;
    a->late_n++;
    for (size_t i = LINES_N; a->ends_lines && i-- > 0;)
        if (!list_is_empty(&lines[i]))
            query_fail(&lines[i], GW_ECLOSED);
}

static void ask_and_wait(void *arg)
{
    struct asking *a = arg;
    query_init(&a->query, loop, &fibers);
    for (size_t i = 0; i < a->lines_n; i++) {
        struct query_slot *slot = query_expect(&a->query, &a->targets[i], &lines[i]);
        slot->on_late = on_late;
        slot->owner = a;
    }
    query_wait(&a->query);
    a->done_n++;
}

static void start(struct asking *a, size_t lines_n)
{
    *a = (struct asking){.lines_n = lines_n};
    assert_int_equal(fibers_start(&fibers, ask_and_wait, a, NULL), 0);
}

static void check_answer(struct fanout_target *t, const char *want)
{
    assert_int_equal(t->rc, 0);
    assert_true(span_is(buf_span(&t->answer), want));
    buf_fini(&t->answer);
}

static void nothing_asked_is_nothing_waited_for(void **state)
{
    struct asking a;
    start(&a, 0);
    assert_int_equal(a.done_n, 1);
}

static void it_goes_on_with_the_last_answer(void **state)
{
    struct asking a;
    start(&a, 2);
    query_answer(&lines[1], span_str("second"));
    assert_int_equal(a.done_n, 0);
    query_answer(&lines[0], span_str("first"));
    assert_int_equal(a.done_n, 1);
    check_answer(&a.targets[0], "first");
    check_answer(&a.targets[1], "second");
    assert_int_equal(a.late_n, 0);
    fake_clock_advance(QUERY_TIMEOUT_MS); /* no deadline is left */
    assert_int_equal(loop_turn(loop, 0), 0);
}

static void answers_come_in_the_order_of_the_questions(void **state)
{
    struct asking a, b;
    start(&a, 1);
    start(&b, 1);
    query_part(&lines[0], span_str("to "));
    query_part(&lines[0], span_of(NULL, 0));
    query_answer(&lines[0], span_str("a"));
    assert_int_equal(a.done_n, 1);
    assert_int_equal(b.done_n, 0);
    query_answer(&lines[0], span_str("to b"));
    check_answer(&a.targets[0], "to a");
    check_answer(&b.targets[0], "to b");
}

/* One fails: the other answers stay. */
static void a_failure_is_an_answer_too(void **state)
{
    struct asking a;
    start(&a, 2);
    query_fail(&lines[0], GW_ECLOSED);
    assert_int_equal(a.done_n, 0);
    query_answer(&lines[1], span_str("x"));
    assert_int_equal(a.done_n, 1);
    assert_int_equal(a.targets[0].rc, GW_ECLOSED);
    check_answer(&a.targets[1], "x");
}

/* The place in line stays, and what comes for it later goes to nobody. */
static void who_gave_up_gets_no_late_answer(void **state)
{
    struct asking a, b;
    start(&a, 2);
    query_answer(&lines[1], span_str("in time"));
    fake_clock_advance(QUERY_TIMEOUT_MS - 1);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(a.done_n, 0);
    start(&b, 1);
    fake_clock_advance(1);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(a.done_n, 1);
    assert_int_equal(a.late_n, 1);
    assert_int_equal(a.targets[0].rc, GW_ETIMEOUT);
    check_answer(&a.targets[1], "in time");
    assert_int_equal(b.done_n, 0); /* its own time is not over */
    query_part(&lines[0], span_str("too "));
    query_answer(&lines[0], span_str("late"));
    assert_int_equal(a.targets[0].answer.len, 0);
    assert_int_equal(a.targets[0].rc, GW_ETIMEOUT);
    query_answer(&lines[0], span_str("b's"));
    check_answer(&b.targets[0], "b's");
}

/* What is told of a slot that is late may end others of the same query. */
static void the_deadline_ends_it_once(void **state)
{
    struct asking a;
    start(&a, 2);
    a.ends_lines = true;
    fake_clock_advance(QUERY_TIMEOUT_MS);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(a.done_n, 1);
    assert_int_equal(a.late_n, 1);
    assert_int_equal(a.targets[0].rc, GW_ETIMEOUT);
    assert_int_equal(a.targets[1].rc, GW_ECLOSED);
}

/* Parts that are too much together: the rest is taken off the line, and the next one is whole. */
static void an_answer_beyond_the_limit_is_dropped(void **state)
{
    enum { PART = 4 << 20 };
    struct asking a, b;
    uint8_t *bytes = mem_zalloc(PART);
    start(&a, 1);
    start(&b, 1);
    for (size_t sent = 0; sent <= PHP_BYTES_MAX; sent += PART) {
        query_part(&lines[0], span_of(bytes, PART));
        assert_in_range(a.targets[0].answer.cap, 0, 2 * (size_t)PHP_BYTES_MAX);
    }
    assert_int_equal(a.targets[0].answer.len, 0);
    query_part(&lines[0], span_of(bytes, 1)); /* one that would fit alone */
    query_answer(&lines[0], span_str("end"));
    assert_int_equal(a.done_n, 1);
    assert_int_equal(a.targets[0].rc, GW_ETOOBIG);
    assert_int_equal(a.targets[0].answer.len, 0);
    query_answer(&lines[0], span_str("small"));
    check_answer(&b.targets[0], "small");
    buf_fini(&a.targets[0].answer);
    mem_free(bytes);
}

#define QUERY_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUERY_TEST(nothing_asked_is_nothing_waited_for),
        QUERY_TEST(it_goes_on_with_the_last_answer),
        QUERY_TEST(answers_come_in_the_order_of_the_questions),
        QUERY_TEST(a_failure_is_an_answer_too),
        QUERY_TEST(who_gave_up_gets_no_late_answer),
        QUERY_TEST(the_deadline_ends_it_once),
        QUERY_TEST(an_answer_beyond_the_limit_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
