/* hex: one digit and eight at once, against the C library. */
#include "base/hex.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_byte_at_every_place(void **state)
{
    for (size_t place = 0; place < 8; place++)
        for (int byte = 0; byte < 256; byte++) {
            char text[] = "89abcdef";
            uint32_t n;
            text[place] = (char)byte;
            bool is_good = hex_get_u32((const uint8_t *)text, &n);
            assert_int_equal(is_good, isxdigit(byte) != 0);
            assert_int_equal(hex_digit((uint8_t)byte) >= 0, is_good);
            if (is_good)
                assert_int_equal(n, strtoul(text, NULL, 16));
        }
}

static void numbers_both_ways(void **state)
{
    uint32_t n = 1;
    for (int i = 0; i < 10000; i++, n = n * 1664525 + 1013904223) {
        char want[9], got[9] = "";
        uint32_t again;
        snprintf(want, sizeof want, "%08x", n);
        hex_put_u32((uint8_t *)got, n);
        assert_string_equal(got, want);
        assert_true(hex_get_u32((const uint8_t *)got, &again));
        assert_int_equal(again, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_at_every_place),
        cmocka_unit_test(numbers_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
