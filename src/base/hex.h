/* Hexadecimal digits read from text and written. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* The value of a digit of either case, or -1. */
static inline int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Eight digits at once, the highest first: for what is done with every message. */
void hex_put_u32(uint8_t *to, uint32_t n);                    /* lower case */
bool hex_get_u32(const uint8_t *at, uint32_t *out) NODISCARD; /* false: not eight digits */

#endif
