/* The timer wheel: order, cascades, restarts while firing, a million timers, against a plain model.
 */
#include "net/timer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/mem.h"

enum { FIRED_MAX = 64 };

struct probe {
    struct timer timer;
    int id;
    struct wheel *wheel;
    uint64_t again_ms; /* > 0: restarts once, that much later */
    struct probe *stops;
};

static int fired[FIRED_MAX];
static int fired_n;

static void on_fire(struct timer *t)
{
    struct probe *p = CONTAINER_OF(t, struct probe, timer);
    assert_false(timer_is_running(t));
    assert_in_range(fired_n, 0, FIRED_MAX - 1);
    fired[fired_n++] = p->id;
    if (p->again_ms) {
        wheel_start(p->wheel, t, p->wheel->now_ms + p->again_ms);
        p->again_ms = 0;
    }
    if (p->stops)
        wheel_stop(p->wheel, &p->stops->timer);
}

static struct probe probe(struct wheel *w, int id)
{
    return (struct probe){.timer.fire = on_fire, .id = id, .wheel = w};
}

static struct wheel *new_wheel(uint64_t now_ms)
{
    struct wheel *w = mem_alloc(sizeof *w);
    wheel_init(w, now_ms);
    fired_n = 0;
    return w;
}

static void fires_in_order_of_time_then_of_start(void **state)
{
    struct wheel *w = new_wheel(1000);
    struct probe a = probe(w, 1), b = probe(w, 2), c = probe(w, 3), d = probe(w, 4);
    wheel_start(w, &a.timer, 1200);
    wheel_start(w, &b.timer, 1005);
    wheel_start(w, &c.timer, 1200);
    wheel_start(w, &d.timer, 1005);
    assert_int_equal(wheel_next_ms(w), 1005);
    wheel_fire(w, 1004);
    assert_int_equal(fired_n, 0);
    wheel_fire(w, 1300);
    assert_int_equal(fired_n, 4);
    assert_int_equal(fired[0], 2);
    assert_int_equal(fired[1], 4);
    assert_int_equal(fired[2], 1);
    assert_int_equal(fired[3], 3);
    assert_int_equal(w->timers_n, 0);
    assert_true(wheel_next_ms(w) == UINT64_MAX);
    mem_free(w);
}

/* 63, 64, 65, 4095, 4096, 4097 … ticks away, from a time whose own digits are about to carry. */
static void fires_exactly_at_level_borders(void **state)
{
    static const uint64_t delays[] = {1,
                                      63,
                                      64,
                                      65,
                                      4095,
                                      4096,
                                      4097,
                                      262143,
                                      262144,
                                      262145,
                                      1 << 24,
                                      1 << 30,
                                      UINT64_C(1) << 40};
    static const uint64_t starts[] = {1, 63, 64, 4095, 262143, (UINT64_C(1) << 36) - 1};
    for (size_t s = 0; s < ARRAY_LEN(starts); s++) {
        for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
            struct wheel *w = new_wheel(starts[s]);
            struct probe p = probe(w, 1);
            uint64_t due_ms = starts[s] + delays[i];
            wheel_start(w, &p.timer, due_ms);
            int turns = 0;
            while (wheel_next_ms(w) < due_ms && turns++ < WHEEL_LEVELS) {
                wheel_fire(w, wheel_next_ms(w));
                assert_int_equal(fired_n, 0);
            }
            assert_true(wheel_next_ms(w) == due_ms);
            wheel_fire(w, due_ms);
            assert_int_equal(fired_n, 1);
            mem_free(w);
        }
    }
}

static void overdue_fires_at_the_next_call(void **state)
{
    struct wheel *w = new_wheel(500);
    struct probe a = probe(w, 1), b = probe(w, 2);
    wheel_start(w, &a.timer, 500);
    wheel_start(w, &b.timer, 400);
    assert_int_equal(wheel_next_ms(w), 500);
    wheel_fire(w, 500);
    assert_int_equal(fired_n, 2);
    assert_int_equal(fired[0], 1);
    mem_free(w);
}

static void restarts_while_firing_wait_for_the_next_call(void **state)
{
    struct wheel *w = new_wheel(10);
    struct probe a = probe(w, 1);
    a.again_ms = 5;
    wheel_start(w, &a.timer, 12);
    wheel_fire(w, 12);
    assert_int_equal(fired_n, 1);
    assert_int_equal(a.timer.due_ms, 17);
    wheel_fire(w, 16);
    assert_int_equal(fired_n, 1);
    wheel_fire(w, 17);
    assert_int_equal(fired_n, 2);
    mem_free(w);
}

static void a_timer_may_stop_another_that_is_due_too(void **state)
{
    struct wheel *w = new_wheel(10);
    struct probe a = probe(w, 1), b = probe(w, 2), c = probe(w, 3);
    a.stops = &b;
    wheel_start(w, &a.timer, 11);
    wheel_start(w, &b.timer, 11);
    wheel_start(w, &c.timer, 11);
    wheel_fire(w, 11);
    assert_int_equal(fired_n, 2);
    assert_int_equal(fired[1], 3);
    wheel_stop(w, &b.timer); /* twice is fine */
    assert_int_equal(w->timers_n, 0);
    mem_free(w);
}

/* Random starts, restarts and stops against a model that only knows due times. */
struct model {
    struct timer timer;
    uint64_t want_ms; /* 0: must not fire */
    struct wheel *wheel;
};

static uint64_t model_now_ms;

static void on_model_fire(struct timer *t)
{
    struct model *m = CONTAINER_OF(t, struct model, timer);
    assert_true(m->want_ms != 0);
    assert_true(m->want_ms <= model_now_ms);
    m->want_ms = 0;
}

static void agrees_with_a_model(void **state)
{
    enum { TIMERS_N = 500, STEPS_N = 20000 };
    static struct model models[TIMERS_N];
    struct wheel *w = new_wheel(77);
    srand(4711);
    model_now_ms = 77;
    for (int step = 0; step < STEPS_N; step++) {
        struct model *m = &models[rand() % TIMERS_N];
        m->timer.fire = on_model_fire;
        if (rand() % 4 == 0) {
            wheel_stop(w, &m->timer);
            m->want_ms = 0;
        } else {
            m->want_ms = model_now_ms + (uint64_t)(rand() >> (rand() % 31));
            wheel_start(w, &m->timer, m->want_ms);
        }
        model_now_ms += (uint64_t)(rand() >> (15 + rand() % 16));
        wheel_fire(w, model_now_ms);
        if (step % 100)
            continue;
        for (int i = 0; i < TIMERS_N; i++)
            assert_true(models[i].want_ms == 0 || models[i].want_ms > model_now_ms);
    }
    mem_free(w);
}

static uint64_t million_n;

static void count(struct timer *t)
{
    million_n++;
}

static void carries_a_million(void **state)
{
    enum { N = 1000000 };
    struct wheel *w = new_wheel(1);
    struct timer *timers = mem_zalloc(N * sizeof *timers);
    million_n = 0;
    for (uint64_t i = 0; i < N; i++) {
        timers[i].fire = count;
        wheel_start(w, &timers[i], 2 + i * 7919 % 3600000);
    }
    assert_int_equal(w->timers_n, N);
    for (size_t i = 0; i < N; i += 2)
        wheel_stop(w, &timers[i]);
    assert_int_equal(w->timers_n, N / 2);
    for (uint64_t now_ms = 1; now_ms <= 3600002; now_ms += 1000)
        wheel_fire(w, now_ms);
    wheel_fire(w, 3600002);
    assert_int_equal(million_n, N / 2);
    assert_int_equal(w->timers_n, 0);
    mem_free(timers);
    mem_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fires_in_order_of_time_then_of_start),
        cmocka_unit_test(fires_exactly_at_level_borders),
        cmocka_unit_test(overdue_fires_at_the_next_call),
        cmocka_unit_test(restarts_while_firing_wait_for_the_next_call),
        cmocka_unit_test(a_timer_may_stop_another_that_is_due_too),
        cmocka_unit_test(agrees_with_a_model),
        cmocka_unit_test(carries_a_million),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
