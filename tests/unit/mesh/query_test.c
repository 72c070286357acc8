/* A callback that waits for several answers: what ends its wait, and that it ends once. */
#include "mesh/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gw/err.h>

#include "support/fake_clock.h"

enum { STACK_BYTES = 64 * 1024, ASKED_N = 2 };

struct scene {
    struct loop *loop;
    struct fibers fibers;
    struct list lines[ASKED_N]; /* of one connection each */
    struct fanout_target targets[ASKED_N];
    bool fails_the_other; /* a connection that is late takes the other one down, too */
    int ended_n;
};

/* The slot is still in its line: that of the first connection. */
static void on_late(struct query_slot *slot, void *owner)
{
    struct scene *s = owner;
    if (s->fails_the_other && !list_is_empty(&s->lines[1]))
        query_fail(&s->lines[1], GW_ECLOSED);
    query_fail(&s->lines[0], GW_ETIMEOUT);
}

static void ask(void *arg)
{
    struct scene *s = arg;
    struct query q;
    query_init(&q, s->loop, &s->fibers);
    for (size_t i = 0; i < ASKED_N; i++) {
        struct query_slot *slot = query_expect(&q, &s->targets[i], &s->lines[i]);
        slot->on_late = i == 0 ? on_late : NULL;
        slot->owner = s;
    }
    query_wait(&q);
    s->ended_n++;
}

static void open_scene(struct scene *s)
{
    fake_clock_start(1000);
    *s = (struct scene){.loop = loop_new()};
    assert_non_null(s->loop);
    assert_int_equal(fibers_init(&s->fibers, STACK_BYTES, 4), 0);
    for (size_t i = 0; i < ASKED_N; i++)
        list_init(&s->lines[i]);
    assert_int_equal(fibers_start(&s->fibers, ask, s, NULL), 0);
    assert_int_equal(s->ended_n, 0);
}

static void close_scene(struct scene *s)
{
    assert_int_equal(s->ended_n, 1);
    assert_int_equal(fibers_alive_n(&s->fibers), 0);
    for (size_t i = 0; i < ASKED_N; i++)
        buf_fini(&s->targets[i].answer);
    fibers_fini(&s->fibers);
    loop_free(s->loop);
    fake_clock_stop();
}

static void the_last_answer_ends_the_wait(void **state)
{
    struct scene s;
    open_scene(&s);
    query_part(&s.lines[1], span_str("i:"));
    query_answer(&s.lines[1], span_str("2;"));
    assert_int_equal(s.ended_n, 0);
    query_fail(&s.lines[0], GW_ECLOSED);
    assert_int_equal(s.targets[0].rc, GW_ECLOSED);
    assert_int_equal(s.targets[1].rc, 0);
    assert_true(span_is(buf_span(&s.targets[1].answer), "i:2;"));
    close_scene(&s);
}

static void be_late(struct scene *s)
{
    fake_clock_advance(QUERY_TIMEOUT_MS + 1);
    for (int i = 0; i < 3; i++)
        assert_true(loop_turn(s->loop, 0) >= 0);
}

static void the_deadline_ends_it_for_all(void **state)
{
    struct scene s;
    open_scene(&s);
    be_late(&s);
    assert_int_equal(s.targets[0].rc, GW_ETIMEOUT);
    assert_int_equal(s.targets[1].rc, GW_ETIMEOUT);
    query_answer(&s.lines[1], span_str("i:2;")); /* nobody waits any more */
    assert_int_equal(s.targets[1].answer.len, 0);
    close_scene(&s);
}

/* What is told of a slot that is late may end others of the same query. */
static void the_deadline_ends_it_once(void **state)
{
    struct scene s;
    open_scene(&s);
    s.fails_the_other = true;
    be_late(&s);
    assert_int_equal(s.targets[0].rc, GW_ETIMEOUT);
    assert_int_equal(s.targets[1].rc, GW_ECLOSED);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_answer_ends_the_wait),
        cmocka_unit_test(the_deadline_ends_it_for_all),
        cmocka_unit_test(the_deadline_ends_it_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
