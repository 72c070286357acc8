/* Hexadecimal digits read from text. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stdint.h>

/* The value of a digit of either case, or -1. */
static inline int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
