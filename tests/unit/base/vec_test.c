/* Arrays of pointers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/vec.h"

static void everything(void **state)
{
    int items[100];
    struct vec v = {0};
    assert_null(vec_pop(&v));
    assert_int_equal(vec_find(&v, items), -1);
    for (int i = 0; i < 100; i++)
        vec_push(&v, &items[i]);
    assert_int_equal(v.len, 100);
    assert_int_equal(vec_find(&v, &items[42]), 42);

    vec_remove(&v, 0);
    assert_ptr_equal(v.at[0], &items[1]);
    assert_ptr_equal(v.at[98], &items[99]);
    vec_swap_remove(&v, 0);
    assert_ptr_equal(v.at[0], &items[99]);
    assert_ptr_equal(v.at[1], &items[2]);
    assert_ptr_equal(vec_pop(&v), &items[98]);
    assert_int_equal(v.len, 97);
    vec_swap_remove(&v, 96); /* the last one: nothing takes its place */
    vec_remove(&v, 95);
    assert_ptr_equal(vec_pop(&v), &items[95]);
    vec_fini(&v);
    assert_int_equal(v.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(everything)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
