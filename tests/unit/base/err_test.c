/* Error texts: every code has one, unknown codes are survived. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>
#include <limits.h>

#include <cmocka.h>

#include <gw/err.h>

static void every_own_code_has_a_text(void **state)
{
    for (int code = GW_ECLOSED; code >= GW_EAWAY; code--)
        assert_string_not_equal(gw_strerror(code), "unknown error");
}

static void errno_is_known(void **state)
{
    assert_string_equal(gw_strerror(-ENOENT), "No such file or directory");
    assert_string_equal(gw_strerror(0), "success");
    assert_string_equal(gw_strerror(GW_EAUTH), "wrong or missing secret key");
}

static void strange_codes_are_survived(void **state)
{
    assert_string_equal(gw_strerror(GW_EAWAY - 1), "unknown error");
    assert_string_equal(gw_strerror(INT_MIN), "unknown error");
    assert_string_equal(gw_strerror(42), "unknown error");
    assert_string_equal(gw_strerror(-999), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_own_code_has_a_text),
        cmocka_unit_test(errno_is_known),
        cmocka_unit_test(strange_codes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
