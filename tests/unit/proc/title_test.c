/* The title over the memory of the arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proc/title.h"

static void test_title_replaces_the_arguments(void **state)
{
    /* As the kernel lays them out: one string behind the other. */
    static char block[] = "gatehouse\0start\0-d\0behind";
    char *argv[] = {block, block + 10, block + 16, NULL};
    title_set("nothing happens before title_init()");
    assert_string_equal(block, "gatehouse");
    title_init(3, argv);
    title_set("gate %d", 1);
    assert_string_equal(block, "gate 1");
    assert_memory_equal(block + 6, "\0\0\0\0\0\0\0\0\0\0\0\0\0behind", 19);
    title_set("a title that is longer than the arguments were");
    assert_string_equal(block, "a title that is lo");
    assert_string_equal(block + 19, "behind");
    assert_non_null(getenv("PATH")); /* the environment lives on, elsewhere */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_title_replaces_the_arguments)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
