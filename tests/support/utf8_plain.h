/* UTF-8 byte by byte, from the grammar of RFC 3629 §4: what the fast version must agree with. */
#ifndef TESTS_SUPPORT_UTF8_PLAIN_H
#define TESTS_SUPPORT_UTF8_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool utf8_plain_is_within(const uint8_t *at, const uint8_t *end, uint8_t low,
                                        uint8_t high)
{
    return at < end && *at >= low && *at <= high;
}

/* The length of the character at the front; 0 when it is none, or cut. */
static inline size_t utf8_plain_one(const uint8_t *at, const uint8_t *end)
{
    static const struct {
        uint8_t low, high;               /* of the first byte */
        uint8_t second_low, second_high; /* the others are 80-BF */
        size_t len;
    } rules[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!utf8_plain_is_within(at, end, rules[i].low, rules[i].high))
            continue;
        bool is_good = rules[i].len < 2 ||
                       utf8_plain_is_within(at + 1, end, rules[i].second_low, rules[i].second_high);
        for (size_t n = 2; n < rules[i].len; n++)
            is_good = is_good && utf8_plain_is_within(at + n, end, 0x80, 0xbf);
        return is_good ? rules[i].len : 0;
    }
    return 0;
}

static inline bool utf8_plain_is_valid(const uint8_t *at, size_t len)
{
    const uint8_t *end = at + len;
    for (size_t n; at < end; at += n)
        if ((n = utf8_plain_one(at, end)) == 0)
            return false;
    return true;
}

#endif
