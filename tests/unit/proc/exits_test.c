/* Counting how processes ended. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/exits.h"

/* As the kernel packs them (wait(2)): exit status in the second byte, signal in the first. */
enum { EXITED_1 = 1 << 8, KILLED_9 = SIGKILL, DUMPED_6 = SIGABRT | 0x80 };

static void test_counts_by_status(void **state)
{
    struct exits e = {0};
    exits_add(&e, 0);
    exits_add(&e, EXITED_1);
    exits_add(&e, EXITED_1);
    exits_add(&e, KILLED_9);
    assert_int_equal(e.len, 3);
    assert_int_equal(e.at[0].count, 1);
    assert_int_equal(e.at[1].count, 2);
    assert_int_equal(exits_number(e.at[1].wait_status), 1);
    assert_int_equal(exits_number(e.at[2].wait_status), 9);
}

static void test_more_kinds_than_room(void **state)
{
    struct exits e = {0};
    for (int i = 0; i < EXITS_MAX + 5; i++)
        exits_add(&e, i << 8);
    assert_int_equal(e.len, EXITS_MAX);
    assert_int_equal(e.at[EXITS_MAX - 1].count, 6);
}

static void test_text(void **state)
{
    char text[EXITS_TEXT_MAX];
    exits_text(EXITED_1, text);
    assert_string_equal(text, "exit status 1");
    exits_text(KILLED_9, text);
    assert_string_equal(text, "killed by signal 9 (Killed)");
    exits_text(DUMPED_6, text);
    assert_string_equal(text, "killed by signal 6 (Aborted)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_by_status),
        cmocka_unit_test(test_more_kinds_than_room),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
