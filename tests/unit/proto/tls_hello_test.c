/* tls_hello: a real ClientHello's first bytes, and others. */
#include "proto/tls_hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"

static void first_bytes(void **state)
{
    static const struct {
        const char *in;
        size_t len;
        bool want;
    } table[] = {
        {"\x16\x03\x01\x02\x00\x01", 6, true},
        {"\x16\x03\x03", 3, true},
        {"\x16\x03", 2, false},
        {"\x16\x04\x01", 3, false},
        {"GET", 3, false},
        {"\x15\x03\x01", 3, false},
        {"", 0, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (tls_hello_is(span_of(table[i].in, table[i].len)) != table[i].want)
            fail_msg("row %zu: %d expected", i, table[i].want);
}

static void the_first_byte(void **state)
{
    for (unsigned first = 0; first < 256; first++)
        assert_int_equal(tls_hello_may_begin((uint8_t)first), first == 0x16);
}

static void refusal_is_one_alert_record(void **state)
{
    struct span alert = tls_hello_refusal();
    assert_int_equal(alert.len, 5 + 2);
    assert_int_equal(alert.at[0], 21);
    assert_int_equal(alert.at[3] << 8 | alert.at[4], 2);
    assert_int_equal(alert.at[5], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_bytes),
        cmocka_unit_test(the_first_byte),
        cmocka_unit_test(refusal_is_one_alert_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
