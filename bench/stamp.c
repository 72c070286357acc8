/* The stamp at the front of every payload. */
#include "bench/stamp.h"

static void put_letters(uint8_t *to, unsigned letters_n, uint32_t value)
{
    for (unsigned i = 0; i < letters_n; i++)
        to[i] = (uint8_t)('A' + (value >> (4 * i) & 15));
}

void stamp_write(uint8_t *to, const struct stamp *s)
{
    memcpy(to, "gwb", 3);
    to[3] = (uint8_t)s->kind;
    put_letters(to + 4, 4, s->sender);
    put_letters(to + 8, 8, s->number);
    put_letters(to + 16, 8, s->due_us);
}

size_t stamp_find(const uint8_t *at, size_t len)
{
    const uint8_t *hit = memmem(at, len, "gwb", 3);
    if (!hit || len - (size_t)(hit - at) < STAMP_LEN)
        return STAMP_NONE;
    return (size_t)(hit - at);
}
