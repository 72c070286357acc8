/* Incremental UTF-8 validation: a table of states made from the syntax in RFC 3629 §4. */
#include "base/utf8.h"

#include <string.h>

#include "base/utf8_blocks.h"

/* States beyond UTF8_OK and UTF8_BAD, named after the bytes that must follow. */
enum {
    TAIL_1 = 2, /* one of 80-BF */
    TAIL_2,     /* two */
    TAIL_3,     /* three */
    AFTER_E0,   /* A0-BF, then one: anything lower would be overlong */
    AFTER_ED,   /* 80-9F, then one: anything higher would be a surrogate */
    AFTER_F0,   /* 90-BF, then two: anything lower would be overlong */
    AFTER_F4,   /* 80-8F, then two: anything higher would pass U+10FFFF */
};

static const struct {
    uint8_t low, high; /* the bytes allowed next */
    uint8_t then;
} steps[] = {
    [TAIL_1] = {0x80, 0xbf, UTF8_OK},  [TAIL_2] = {0x80, 0xbf, TAIL_1},
    [TAIL_3] = {0x80, 0xbf, TAIL_2},   [AFTER_E0] = {0xa0, 0xbf, TAIL_1},
    [AFTER_ED] = {0x80, 0x9f, TAIL_1}, [AFTER_F0] = {0x90, 0xbf, TAIL_2},
    [AFTER_F4] = {0x80, 0x8f, TAIL_2},
};

static utf8_state lead(uint8_t c)
{
    if (c < 0x80)
        return UTF8_OK;
    if (c < 0xc2) /* a stray tail, or C0 and C1, which only start overlong forms */
        return UTF8_BAD;
    if (c < 0xe0)
        return TAIL_1;
    if (c < 0xf0)
        return c == 0xe0 ? AFTER_E0 : c == 0xed ? AFTER_ED : TAIL_2;
    if (c < 0xf4)
        return c == 0xf0 ? AFTER_F0 : TAIL_3;
    return c == 0xf4 ? AFTER_F4 : UTF8_BAD;
}

/* Compilers make vector instructions of it wherever there are some. */
typedef uint64_t wide __attribute__((vector_size(16)));

/* Past the ASCII at the front: 32 bytes at a time, then eight, then one. */
static const uint8_t *skip_ascii(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 32) {
        wide both[2];
        memcpy(both, at, sizeof both);
        wide any = both[0] | both[1];
        if ((any[0] | any[1]) & UINT64_C(0x8080808080808080))
            break;
        at += 32;
    }
    while (end - at >= 8) {
        uint64_t eight;
        memcpy(&eight, at, sizeof eight);
        if (eight & UINT64_C(0x8080808080808080))
            break;
        at += 8;
    }
    while (at < end && *at < 0x80)
        at++;
    return at;
}

utf8_state utf8_feed(utf8_state state, struct span bytes)
{
    const uint8_t *at = bytes.at;
    const uint8_t *end = bytes.len ? at + bytes.len : at;
    bool may_skip = true; /* else what is bad or cut in the blocks is looked for */
    while (at < end && state != UTF8_BAD) {
        if (state == UTF8_OK) {
            at = skip_ascii(at, end);
            if (may_skip && at < end)
                at += utf8_blocks_good(span_of(at, (size_t)(end - at)));
            may_skip = false;
            if (at < end)
                state = lead(*at++);
        } else if (*at < steps[state].low || *at > steps[state].high) {
            state = UTF8_BAD;
        } else {
            state = steps[state].then;
            at++;
        }
    }
    return state;
}

bool utf8_is_valid(struct span text)
{
    return utf8_feed(UTF8_OK, text) == UTF8_OK;
}
