/* What stands in JSON strings as it is: every byte at every place, by blocks and one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/json_text.h"

enum { LEN_MAX = 40 };

static bool is_plain(unsigned c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

static void the_first_special_byte_ends_it(void **state)
{
    uint8_t text[LEN_MAX];
    for (size_t len = 0; len <= LEN_MAX; len++)
        for (size_t place = 0; place < len; place++)
            for (unsigned c = 0; c < 256; c++) {
                memset(text, 'x', len);
                text[len - 1] = '"'; /* a second one, which must not matter */
                text[place] = (uint8_t)c;
                size_t rest = place == len - 1 ? len : len - 1;
                assert_int_equal(json_plain_len(span_of(text, len)), is_plain(c) ? rest : place);
                bool is_ascii = is_plain(c) && c != '/' && c < 0x80;
                assert_int_equal(json_plain_ascii_len(span_of(text, len)), is_ascii ? rest : place);
            }
}

static void nothing_is_plain(void **state)
{
    assert_int_equal(json_plain_len(span_of(NULL, 0)), 0);
    assert_int_equal(json_plain_ascii_len(span_of(NULL, 0)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_special_byte_ends_it),
        cmocka_unit_test(nothing_is_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
