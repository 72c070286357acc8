/* UTF-8 judged in blocks of 16 bytes: John Keiser and Daniel Lemire, "Validating UTF-8 In Less Than
 * One Instruction Per Byte", 2020, §6. Three tables of 16 entries are looked up with a byte's two
 * halves and the upper half of the byte behind it; each bit of an entry stands for one mistake that
 * two bytes in a row can be, and remains where all three agree on it. Third and fourth bytes show
 * as a tail behind a tail, which is a mistake exactly where no lead announced it. */
#include "base/utf8_blocks.h"

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)

#include <tmmintrin.h>

enum { BLOCK = 16 };

enum {
    TOO_SHORT = 1 << 0,   /* a lead and then no tail */
    TOO_LONG = 1 << 1,    /* ASCII and then a tail */
    OVERLONG_3 = 1 << 2,  /* E0 80-9F */
    TOO_LARGE = 1 << 3,   /* F4 90-BF, F5-FF 90-BF */
    SURROGATE = 1 << 4,   /* ED A0-BF */
    OVERLONG_2 = 1 << 5,  /* C0-C1 and a tail */
    TOO_LARGE_8 = 1 << 6, /* F5-FF 80-8F */
    OVERLONG_4 = 1 << 6,  /* F0 80-8F: told from the one above by the first byte's lower half */
    TWO_TAILS = 1 << 7,
    ANY_LOW = TOO_SHORT | TOO_LONG | TWO_TAILS, /* whatever the first byte's lower half is */
    ABOVE_F4 = ANY_LOW | TOO_LARGE | TOO_LARGE_8,
    ANY_TAIL = TOO_LONG | OVERLONG_2 | TWO_TAILS,
};

static const uint8_t of_first_high[16] = {TOO_LONG,
                                          TOO_LONG,
                                          TOO_LONG,
                                          TOO_LONG,
                                          TOO_LONG,
                                          TOO_LONG,
                                          TOO_LONG,
                                          TOO_LONG,
                                          TWO_TAILS,
                                          TWO_TAILS,
                                          TWO_TAILS,
                                          TWO_TAILS,
                                          TOO_SHORT | OVERLONG_2,
                                          TOO_SHORT,
                                          TOO_SHORT | OVERLONG_3 | SURROGATE,
                                          TOO_SHORT | TOO_LARGE | TOO_LARGE_8 | OVERLONG_4};

static const uint8_t of_first_low[16] = {ANY_LOW | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
                                         ANY_LOW | OVERLONG_2,
                                         ANY_LOW,
                                         ANY_LOW,
                                         ANY_LOW | TOO_LARGE,
                                         ABOVE_F4,
                                         ABOVE_F4,
                                         ABOVE_F4,
                                         ABOVE_F4,
                                         ABOVE_F4,
                                         ABOVE_F4,
                                         ABOVE_F4,
                                         ABOVE_F4,
                                         ABOVE_F4 | SURROGATE,
                                         ABOVE_F4,
                                         ABOVE_F4};

static const uint8_t of_second_high[16] = {TOO_SHORT,
                                           TOO_SHORT,
                                           TOO_SHORT,
                                           TOO_SHORT,
                                           TOO_SHORT,
                                           TOO_SHORT,
                                           TOO_SHORT,
                                           TOO_SHORT,
                                           ANY_TAIL | OVERLONG_3 | TOO_LARGE_8 | OVERLONG_4,
                                           ANY_TAIL | OVERLONG_3 | TOO_LARGE,
                                           ANY_TAIL | SURROGATE | TOO_LARGE,
                                           ANY_TAIL | SURROGATE | TOO_LARGE,
                                           TOO_SHORT,
                                           TOO_SHORT,
                                           TOO_SHORT,
                                           TOO_SHORT};

#define SSSE3 __attribute__((target("ssse3")))

SSSE3 static __m128i load(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

SSSE3 static __m128i look_up(const uint8_t table[16], __m128i halves)
{
    return _mm_shuffle_epi8(load(table), halves);
}

SSSE3 static __m128i upper_half(__m128i bytes)
{
    return _mm_and_si128(_mm_srli_epi16(bytes, 4), _mm_set1_epi8(0x0f));
}

/* Not zero where a byte of this block, or of the pair with the last byte before, is wrong. */
SSSE3 static __m128i mistakes(__m128i block, __m128i before)
{
    __m128i first = _mm_alignr_epi8(block, before, BLOCK - 1);
    __m128i low = _mm_and_si128(first, _mm_set1_epi8(0x0f));
    __m128i pairs = _mm_and_si128(
        _mm_and_si128(look_up(of_first_high, upper_half(first)), look_up(of_first_low, low)),
        look_up(of_second_high, upper_half(block)));
    /* The highest bit is set behind E0-FF by two bytes, and behind F0-FF by three. */
    __m128i third =
        _mm_subs_epu8(_mm_alignr_epi8(block, before, BLOCK - 2), _mm_set1_epi8(0xe0 - 0x80));
    __m128i fourth =
        _mm_subs_epu8(_mm_alignr_epi8(block, before, BLOCK - 3), _mm_set1_epi8(0xf0 - 0x80));
    __m128i announced = _mm_and_si128(_mm_or_si128(third, fourth), _mm_set1_epi8((char)0x80));
    return _mm_xor_si128(announced, pairs);
}

SSSE3 static size_t good_blocks(const uint8_t *at, size_t len)
{
    __m128i before = _mm_setzero_si128();
    __m128i wrong = _mm_setzero_si128();
    size_t done = 0;
    for (; len - done >= BLOCK; done += BLOCK) {
        __m128i block = load(at + done);
        wrong = _mm_or_si128(wrong, mistakes(block, before));
        before = block;
    }
    bool is_good = _mm_movemask_epi8(_mm_cmpeq_epi8(wrong, _mm_setzero_si128())) == 0xffff;
    return is_good ? done : 0;
}

/* Without the lead at the end, of which some tails are still to come. */
static size_t without_cut(const uint8_t *at, size_t len)
{
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        uint8_t c = at[len - back];
        if (c >= 0xc0) {
            size_t whole = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
            return back < whole ? len - back : len;
        }
    }
    return len;
}

size_t utf8_blocks_good(struct span bytes)
{
    if (bytes.len < BLOCK || !__builtin_cpu_supports("ssse3"))
        return 0;
    return without_cut(bytes.at, good_blocks(bytes.at, bytes.len));
}

#else

size_t utf8_blocks_good(struct span bytes)
{
    (void)bytes;
    return 0;
}

#endif
