/* What a process does, as its parent reads it. */
#include "base/activity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_a_parent_sees_what_its_child_shows(void **state)
{
    struct activity *a = activity_new();
    char text[ACTIVITY_TEXT_MAX];
    assert_non_null(a);
    assert_int_equal(activity_serial(a), 0);
    activity_text(a, text);
    assert_string_equal(text, "");
    pid_t pid = fork();
    if (pid == 0) {
        activity_show(a,
                      &(struct activity_note){
                          .kind = ACTIVITY_ON_MESSAGE, .ip = 0x7f000001, .port = 2900, .id = 26});
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(activity_serial(a), 1);
    activity_text(a, text);
    assert_string_equal(text, "on_message of client 7f0000010b540000001a");
    activity_free(a);
}

static void test_texts(void **state)
{
    struct activity a = {0};
    char text[ACTIVITY_TEXT_MAX];
    activity_show(&a, &(struct activity_note){.kind = ACTIVITY_TIMER});
    activity_text(&a, text);
    assert_string_equal(text, "a timer");
    activity_show(&a, &(struct activity_note){.kind = ACTIVITY_ON_CLOSE, .id = UINT64_MAX});
    activity_text(&a, text);
    assert_string_equal(text, "on_close of connection 18446744073709551615");
    /* Whoever writes there may write anything. */
    activity_show(&a,
                  &(struct activity_note){
                      .kind = UINT32_MAX, .ip = UINT32_MAX, .port = UINT32_MAX, .id = UINT64_MAX});
    activity_text(&a, text);
    assert_string_equal(text, " of client ffffffffffffffffffff");
    activity_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_parent_sees_what_its_child_shows),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
