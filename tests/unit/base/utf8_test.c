/* UTF-8 by RFC 3629: vectors whole, by the byte and in random splits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "support/utf8_plain.h"

#define TEXT(s)                                                                                    \
    {                                                                                              \
        s, sizeof(s) - 1                                                                           \
    }

struct text {
    const char *at;
    size_t len;
};

static const struct text valid[] = {
    TEXT(""),
    TEXT("plain ASCII that is longer than eight bytes"),
    TEXT("\x00"),
    TEXT("\x7f"),
    TEXT("\xc2\x80"),         /* U+0080, the first of two bytes */
    TEXT("\xdf\xbf"),         /* U+07FF */
    TEXT("\xe0\xa0\x80"),     /* U+0800, the first of three */
    TEXT("\xed\x9f\xbf"),     /* U+D7FF, the last before the surrogates */
    TEXT("\xee\x80\x80"),     /* U+E000, the first after them */
    TEXT("\xef\xbf\xbf"),     /* U+FFFF */
    TEXT("\xf0\x90\x80\x80"), /* U+10000, the first of four */
    TEXT("\xf4\x8f\xbf\xbf"), /* U+10FFFF, the last of all */
    TEXT("12345678\xe4\xbd\xa0\xe5\xa5\xbd 12345678 \xf0\x9f\x98\x80 12345678"),
    TEXT("1234567\xe4\xbd\xa0"),
};

/* With the number of bytes after which no continuation can help. */
static const struct {
    struct text text;
    size_t bad_after;
} invalid[] = {
    {TEXT("\x80"), 1},             /* a tail without a lead */
    {TEXT("abc\xbf"), 4},          /* the same behind text */
    {TEXT("\xc0\x80"), 1},         /* overlong U+0000 */
    {TEXT("\xc1\xbf"), 1},         /* overlong U+007F */
    {TEXT("\xe0\x9f\xbf"), 2},     /* overlong U+07FF */
    {TEXT("\xf0\x8f\xbf\xbf"), 2}, /* overlong U+FFFF */
    {TEXT("\xed\xa0\x80"), 2},     /* U+D800, a surrogate */
    {TEXT("\xed\xbf\xbf"), 2},     /* U+DFFF */
    {TEXT("\xf4\x90\x80\x80"), 2}, /* U+110000 */
    {TEXT("\xf5\x80\x80\x80"), 1},
    {TEXT("\xff"), 1},
    {TEXT("\xfe\xff"), 1},
    {TEXT("\xe4\xbd\x41"), 3}, /* a lead and ASCII where a tail is due */
    {TEXT("\xc3\xc3"), 2},
    {TEXT("12345678\x80"
          "12345678"),
     9},
};

static utf8_state feed_randomly(struct span s, unsigned *seed)
{
    utf8_state state = UTF8_OK;
    while (s.len) {
        size_t n = (size_t)rand_r(seed) % s.len + 1;
        state = utf8_feed(state, span_of(s.at, n));
        s = span_skip(s, n);
    }
    return state;
}

static void valid_texts(void **state)
{
    unsigned seed = 1;
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++) {
        struct span s = span_of(valid[i].at, valid[i].len);
        utf8_state by_byte = UTF8_OK;
        assert_true(utf8_is_valid(s));
        for (size_t k = 0; k < s.len; k++) {
            by_byte = utf8_feed(by_byte, span_of(s.at + k, 1));
            assert_int_not_equal(by_byte, UTF8_BAD);
        }
        assert_int_equal(by_byte, UTF8_OK);
        for (int round = 0; round < 20; round++)
            assert_int_equal(feed_randomly(s, &seed), UTF8_OK);
    }
    assert_true(utf8_is_valid(span_of(NULL, 0)));
}

static void invalid_texts_fail_at_once(void **state)
{
    unsigned seed = 1;
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        struct span s = span_of(invalid[i].text.at, invalid[i].text.len);
        assert_int_equal(utf8_feed(UTF8_OK, s), UTF8_BAD);
        assert_int_not_equal(utf8_feed(UTF8_OK, span_of(s.at, invalid[i].bad_after - 1)), UTF8_BAD);
        assert_int_equal(utf8_feed(UTF8_OK, span_of(s.at, invalid[i].bad_after)), UTF8_BAD);
        for (int round = 0; round < 20; round++)
            assert_int_equal(feed_randomly(s, &seed), UTF8_BAD);
    }
    assert_int_equal(utf8_feed(UTF8_BAD, span_str("good text later on")), UTF8_BAD);
}

static void cut_texts_wait(void **state)
{
    struct span s = span_str("\xf0\x9f\x98\x80");
    for (size_t len = 1; len < 4; len++) {
        utf8_state cut = utf8_feed(UTF8_OK, span_of(s.at, len));
        assert_int_not_equal(cut, UTF8_OK);
        assert_int_not_equal(cut, UTF8_BAD);
        assert_false(utf8_is_valid(span_of(s.at, len)));
    }
}

static size_t encode(uint32_t c, uint8_t *out)
{
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len; i-- > 1; c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(leads[len] | c);
    return len;
}

static void every_character(void **state)
{
    uint8_t text[4];
    for (uint32_t c = 0; c < 0x120000; c++) {
        bool want = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
        if (utf8_is_valid(span_of(text, encode(c, text))) != want)
            fail_msg("U+%04X", c);
    }
}

/* Counts what is valid among all texts of two bytes: two ASCII, or one character. */
static void every_pair(void **state)
{
    size_t valid_n = 0;
    for (unsigned a = 0; a < 256; a++)
        for (unsigned b = 0; b < 256; b++)
            valid_n += utf8_is_valid(span_of((uint8_t[]){(uint8_t)a, (uint8_t)b}, 2));
    assert_int_equal(valid_n, 128 * 128 + (0x800 - 0x80));
}

/* Texts of characters of all lengths, each with a byte changed: long enough for what works on many
 * bytes at a time, and judged as byte by byte. */
static void test_long_texts_as_byte_by_byte(void **unused)
{
    static const uint32_t kinds[] = {'a', 'a', 0x7ff, 0x4f60, 0x597d, 0xd7ff, 0xe000, 0x10ffff};
    unsigned seed = 1;
    for (int round = 0; round < 20000; round++) {
        uint8_t text[160];
        size_t len = 0;
        unsigned same_n = 0;
        for (uint32_t c = 'a'; len < sizeof(text) - 4; len += encode(c, text + len)) {
            if (same_n == 0) { /* rows of one kind are what is skipped together */
                c = kinds[(unsigned)rand_r(&seed) % (sizeof(kinds) / sizeof(kinds[0]))];
                same_n = (unsigned)rand_r(&seed) % 40;
            }
            same_n -= same_n > 0;
        }
        assert_true(utf8_is_valid(span_of(text, len)));
        text[(unsigned)rand_r(&seed) % len] = (uint8_t)rand_r(&seed);
        assert_int_equal(utf8_is_valid(span_of(text, len)), utf8_plain_is_valid(text, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_texts),
        cmocka_unit_test(invalid_texts_fail_at_once),
        cmocka_unit_test(cut_texts_wait),
        cmocka_unit_test(every_character),
        cmocka_unit_test(test_long_texts_as_byte_by_byte),
        cmocka_unit_test(every_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
