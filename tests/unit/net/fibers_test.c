/* Fibers: the event in hand and what is shown of it follow the coroutine that runs. */
#include "net/fibers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { STACK_BYTES = 64 * 1024, MAX_N = 3 };

static struct fibers fibers;
static struct activity activity;
static struct co *waiting[MAX_N];
static size_t waiting_n;
static char events[] = "ab";

static struct activity_note note_of(const char *event)
{
    return (struct activity_note){.kind = ACTIVITY_ON_MESSAGE, .id = (uint64_t)*event};
}

static int set_up(void **state)
{
    waiting_n = 0;
    activity = (struct activity){0};
    if (fibers_init(&fibers, STACK_BYTES, MAX_N) < 0)
        return -1;
    fibers.activity = &activity;
    return 0;
}

static int tear_down(void **state)
{
    fibers_fini(&fibers);
    fibers_fini(&fibers); /* of one that never began, too */
    return 0;
}

static void check_in_hand(char *event)
{
    assert_ptr_equal(fibers.event, event);
    assert_int_equal(activity.note.id, event ? (uint64_t)*event : 0);
    assert_int_equal(activity.note.kind, event ? ACTIVITY_ON_MESSAGE : ACTIVITY_NONE);
}

static void show_and_wait(void *arg)
{
    char *event = arg;
    assert_true(fibers_is_inside(&fibers));
    fibers_show(&fibers, note_of(event));
    waiting[waiting_n++] = fibers_self(&fibers);
    fibers_wait(&fibers);
    check_in_hand(event);
}

static void start(char *event)
{
    assert_int_equal(fibers_start(&fibers, show_and_wait, event, event), 0);
}

static void outside_nothing_is_in_hand(void **state)
{
    assert_false(fibers_is_inside(&fibers));
    assert_null(fibers_self(&fibers));
    start(&events[0]);
    check_in_hand(NULL);
    start(&events[1]);
    check_in_hand(NULL);
    fibers_resume(&fibers, waiting[0]);
    check_in_hand(NULL);
    fibers_resume(&fibers, waiting[1]);
    check_in_hand(NULL);
    assert_int_equal(fibers_alive_n(&fibers), 0);
}

/* A callback that starts another one, and later wakes it: its own event is in hand behind that. */
static void start_and_wake_another(void *arg)
{
    char *mine = arg;
    fibers_show(&fibers, note_of(mine));
    start(&events[1]);
    check_in_hand(mine);
    fibers_resume(&fibers, waiting[0]);
    check_in_hand(mine);
}

static void what_runs_inside_another_changes_nothing_for_it(void **state)
{
    assert_int_equal(fibers_start(&fibers, start_and_wake_another, &events[0], &events[0]), 0);
    check_in_hand(NULL);
    assert_int_equal(fibers_alive_n(&fibers), 0);
}

/* A watcher tells one that waits from one that sits in a callback by this number. */
static void each_wait_and_each_end_is_a_sign_of_life(void **state)
{
    uint32_t before = activity_serial(&activity);
    start(&events[0]);
    uint32_t waits = activity_serial(&activity);
    assert_true(waits != before);
    fibers_resume(&fibers, waiting[0]);
    assert_true(activity_serial(&activity) != waits);
}

static void there_is_room_for_so_many(void **state)
{
    for (int i = 0; i < MAX_N; i++) {
        assert_true(fibers_has_room(&fibers));
        start(&events[0]);
    }
    assert_false(fibers_has_room(&fibers));
    for (size_t i = MAX_N; i-- > 0;)
        fibers_resume(&fibers, waiting[i]);
    assert_true(fibers_has_room(&fibers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(outside_nothing_is_in_hand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_runs_inside_another_changes_nothing_for_it, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(each_wait_and_each_end_is_a_sign_of_life, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(there_is_room_for_so_many, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
