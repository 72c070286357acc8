/* Searching, cutting and reading runs of bytes. */
#include "base/span.h"

#include "base/bytes.h"
#include "base/swar.h"

enum { TOP_TO_CASE = 2 }; /* shift from a byte's top bit to the one that makes a letter small */

static inline uint64_t lower_each(const uint8_t *at)
{
    uint64_t x = get_u64be(at);
    return x | (swar_in_range(x & EACH(0x7f), 'A', 'Z') & ~x) >> TOP_TO_CASE;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool span_same_nocase(const uint8_t *a, const char *b, size_t len)
{
    const uint8_t *to = (const uint8_t *)b;
    size_t i = 0;
    for (; len - i >= sizeof(uint64_t); i += sizeof(uint64_t))
        if (lower_each(a + i) != lower_each(to + i))
            return false;
    for (; i < len; i++)
        if (lower(a[i]) != lower(to[i]))
            return false;
    return true;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s)
{
    while (s.len && is_blank(s.at[0]))
        s = span_skip(s, 1);
    while (s.len && is_blank(s.at[s.len - 1]))
        s.len--;
    return s;
}

ptrdiff_t span_find(struct span s, uint8_t byte)
{
    const uint8_t *hit = s.len ? memchr(s.at, byte, s.len) : NULL;
    return hit ? hit - s.at : -1;
}

struct span span_cut(struct span *rest, uint8_t byte)
{
    struct span whole = *rest;
    ptrdiff_t pos = span_find(whole, byte);
    if (pos < 0) {
        *rest = span_of(NULL, 0);
        return whole;
    }
    *rest = span_skip(whole, (size_t)pos + 1);
    return span_of(whole.at, (size_t)pos);
}

bool span_to_u64(struct span s, uint64_t *out)
{
    uint64_t v = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9')
            return false;
        uint64_t digit = (uint64_t)(s.at[i] - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}
