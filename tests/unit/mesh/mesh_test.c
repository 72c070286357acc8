/* Callbacks that wait for one another: gw_wait() and gw_wake() over the loop of a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <gw/wait.h>

#include "mesh/mesh.h"
#include "net/loop.h"

enum { STACK_BYTES = 64 * 1024, WAITERS_N = 3 };

static const struct gw_io io = {.wait = mesh_wait, .wake = mesh_wake};

struct scene {
    struct mesh mesh;
    struct gw_waiter places[WAITERS_N];
    char said[64]; /* what happened, in order */
};

struct part {
    struct scene *scene;
    size_t place;
};

static void say(struct scene *s, const char *what, size_t place)
{
    char word[] = {what[0], (char)('0' + place), ' ', '\0'};
    strcat(s->said, word);
}

static void wait_there(void *arg)
{
    struct part *p = arg;
    say(p->scene, "waits", p->place);
    assert_int_equal(gw_wait(&p->scene->mesh.gw, &p->scene->places[p->place]), 0);
    say(p->scene, "goes on", p->place);
}

static void wake_all(void *arg)
{
    struct part *p = arg;
    for (size_t i = WAITERS_N; i-- > 0;)
        gw_wake(&p->scene->mesh.gw, &p->scene->places[i]);
    say(p->scene, "returns", p->place);
}

static void start(struct scene *s, void (*fn)(void *arg), struct part *p)
{
    assert_int_equal(fibers_start(&s->mesh.fibers, fn, p, NULL), 0);
}

static void open_scene(struct scene *s)
{
    *s = (struct scene){.mesh = {.gw.io = &io, .loop = loop_new()}};
    assert_non_null(s->mesh.loop);
    assert_int_equal(fibers_init(&s->mesh.fibers, STACK_BYTES, 16), 0);
}

static void close_scene(struct scene *s)
{
    assert_int_equal(fibers_alive_n(&s->mesh.fibers), 0);
    fibers_fini(&s->mesh.fibers);
    loop_free(s->mesh.loop);
}

static void turn(struct scene *s)
{
    assert_true(loop_turn(s->mesh.loop, 0) >= 0);
}

static void test_the_woken_go_on_when_who_woke_them_has_returned(void **state)
{
    struct scene s;
    open_scene(&s);
    struct part parts[WAITERS_N + 1] = {{&s, 0}, {&s, 1}, {&s, 2}, {&s, 9}};
    for (size_t i = 0; i < WAITERS_N; i++)
        start(&s, wait_there, &parts[i]);
    turn(&s);
    assert_string_equal(s.said, "w0 w1 w2 ");
    start(&s, wake_all, &parts[WAITERS_N]);
    assert_string_equal(s.said, "w0 w1 w2 r9 ");
    turn(&s);
    assert_string_equal(s.said, "w0 w1 w2 r9 g2 g1 g0 ");
    close_scene(&s);
}

static void test_a_wake_before_the_wait_is_not_lost_and_serves_once(void **state)
{
    struct scene s;
    open_scene(&s);
    struct part part = {&s, 0};
    gw_wake(&s.mesh.gw, &s.places[0]);
    start(&s, wait_there, &part);
    assert_string_equal(s.said, "w0 g0 ");
    start(&s, wait_there, &part);
    turn(&s);
    assert_string_equal(s.said, "w0 g0 w0 ");
    gw_wake(&s.mesh.gw, &s.places[0]);
    gw_wake(&s.mesh.gw, &s.places[0]); /* twice before it went on is once */
    turn(&s);
    assert_string_equal(s.said, "w0 g0 w0 g0 ");
    close_scene(&s);
}

static void wait_where_somebody_waits(void *arg)
{
    struct part *p = arg;
    assert_int_equal(gw_wait(&p->scene->mesh.gw, &p->scene->places[p->place]), GW_ECONTEXT);
}

static void test_what_is_refused(void **state)
{
    struct scene s;
    open_scene(&s);
    struct part part = {&s, 0};
    assert_int_equal(gw_wait(&s.mesh.gw, &s.places[0]), GW_ECONTEXT);
    start(&s, wait_there, &part);
    start(&s, wait_where_somebody_waits, &part);
    gw_wake(&s.mesh.gw, &s.places[0]);
    turn(&s);
    assert_string_equal(s.said, "w0 g0 ");
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_woken_go_on_when_who_woke_them_has_returned),
        cmocka_unit_test(test_a_wake_before_the_wait_is_not_lost_and_serves_once),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
