/* Suggestions for mistyped words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/nearest.h"

static void distances(void **state)
{
    assert_int_equal(nearest_distance("", ""), 0);
    assert_int_equal(nearest_distance("", "abc"), 3);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
    assert_int_equal(nearest_distance("lisetn", "listen"), 1); /* swapped neighbours */
    assert_int_equal(
        nearest_distance("0123456789012345678901234567890123456789012345678901234567890"
                         "12345",
                         "x"),
        SIZE_MAX);
}

static const char *suggest(const char *word)
{
    static const char *const known[] = {"listen", "count", "ping_interval", "ping_data"};
    struct nearest n = {.word = word};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        nearest_try(&n, known[i]);
    return n.best;
}

static void suggestions(void **state)
{
    assert_string_equal(suggest("pingg_interval"), "ping_interval");
    assert_string_equal(suggest("pingInterval"), "ping_interval");
    assert_string_equal(suggest("ping_dta"), "ping_data");
    assert_string_equal(suggest("lisen"), "listen");
    assert_null(suggest("colour"));
    assert_null(suggest("x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances),
        cmocka_unit_test(suggestions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
