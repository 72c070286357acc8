/* The stamp at the front of every payload: who sent it, which of his messages it is, and when it
 * was due.
 *
 *     0    3    4        8               16              24
 *     "gwb"  kind  sender   number          due (us)        filler …
 *
 * Numbers are written four bits to a letter, 'A' to 'P', so that a stamp is text, survives JSON and
 * HTML unchanged, and is read with a handful of instructions. */
#ifndef BENCH_STAMP_H
#define BENCH_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { STAMP_LEN = 24, STAMP_NONE = SIZE_MAX };
enum stamp_kind { STAMP_COUNTED = 'm', STAMP_PROBE = 'p' };

struct stamp {
    char kind;
    uint16_t sender;
    uint32_t number;
    uint32_t due_us; /* since the generator's start */
};

/* Eight letters as 32 bits, the first letter lowest. */
static inline uint32_t stamp_letters(const uint8_t *at)
{
    uint64_t w;
    memcpy(&w, at, sizeof w);
    w -= 0x4141414141414141u;
    w = (w | w >> 4) & 0x00ff00ff00ff00ffu;
    w = (w | w >> 8) & 0x0000ffff0000ffffu;
    return (uint32_t)(w | w >> 16);
}

static inline bool stamp_is_at(const uint8_t *at)
{
    return memcmp(at, "gwb", 3) == 0;
}

/* at holds STAMP_LEN bytes, and stamp_is_at(). */
static inline struct stamp stamp_read(const uint8_t *at)
{
    return (struct stamp){(char)at[3], (uint16_t)(stamp_letters(at) >> 16), stamp_letters(at + 8),
                          stamp_letters(at + 16)};
}

void stamp_write(uint8_t *to, const struct stamp *s);
/* Where the first stamp begins, STAMP_NONE without one. */
size_t stamp_find(const uint8_t *at, size_t len);

#endif
