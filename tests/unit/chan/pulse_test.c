/* pulse: how many quiet looks make a peer silent, and what ends it. */
#include "chan/pulse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void five_looks_without_a_word_make_it_silent_once(void **state)
{
    struct pulse p = {0};
    for (int i = 0; i < PULSE_QUIET_MAX; i++)
        assert_false(pulse_look(&p));
    assert_true(pulse_look(&p));
    assert_true(p.is_silent);
    assert_false(pulse_look(&p));
    assert_true(pulse_hear(&p));
    assert_false(p.is_silent);
    assert_false(pulse_hear(&p));
}

static void each_word_counts(void **state)
{
    struct pulse p = {0};
    for (int i = 0; i < 10 * PULSE_QUIET_MAX; i++) {
        assert_false(pulse_look(&p));
        if (i % PULSE_QUIET_MAX == 0)
            assert_false(pulse_hear(&p));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_looks_without_a_word_make_it_silent_once),
        cmocka_unit_test(each_word_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
