/* Eight bytes in one word, looked at together; all of them below 128. */
#ifndef BASE_SWAR_H
#define BASE_SWAR_H

#include <stdint.h>

/* The same byte eight times. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The top bit of every byte from low to high. */
static inline uint64_t swar_in_range(uint64_t x, uint8_t low, uint8_t high)
{
    return (x + EACH(0x80 - low)) & ~(x + EACH(0x7f - high)) & EACH(0x80);
}

#endif
