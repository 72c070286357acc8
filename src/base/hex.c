/* Eight hexadecimal digits at once: a word with one of them in each byte, the first on top. */
#include "base/hex.h"

#include "base/bytes.h"
#include "base/swar.h"

static uint64_t spread_digits(uint32_t n)
{
    uint64_t x = n;
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    return (x | x << 4) & EACH(0x0f);
}

static uint32_t join_digits(uint64_t x)
{
    x = (x | x >> 4) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(x | x >> 16);
}

void hex_put_u32(uint8_t *to, uint32_t n)
{
    uint64_t digits = spread_digits(n);
    uint64_t is_letter = (digits + EACH(6)) >> 4 & EACH(1);
    put_u64be(to, digits + EACH('0') + is_letter * ('a' - '0' - 10));
}

bool hex_get_u32(const uint8_t *at, uint32_t *out)
{
    uint64_t text = get_u64be(at);
    uint64_t is_digit = swar_in_range(text & EACH(0x7f), '0', '9');
    uint64_t is_letter = swar_in_range((text & EACH(0x7f)) | EACH(0x20), 'a', 'f');
    *out = join_digits((text & EACH(0x0f)) + (is_letter >> 7) * 9);
    return ((is_digit | is_letter) & ~text) == EACH(0x80);
}
