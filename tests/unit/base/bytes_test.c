/* Integers in network order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"

static void both_ways(void **state)
{
    const uint8_t in[8] = {0x81, 0x02, 0x83, 0x04, 0x85, 0x06, 0x87, 0x08};
    uint8_t out[8];
    assert_int_equal(get_u16be(in), 0x8102);
    assert_int_equal(get_u32be(in), 0x81028304);
    assert_int_equal(get_u64be(in), UINT64_C(0x8102830485068708));
    put_u64be(out, UINT64_C(0x8102830485068708));
    assert_memory_equal(out, in, 8);
    put_u32be(out + 1, 0x81028304); /* any alignment */
    assert_memory_equal(out + 1, in, 4);
    put_u16be(out + 3, 0x8102);
    assert_memory_equal(out + 3, in, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_ways)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
