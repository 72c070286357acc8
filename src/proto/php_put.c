/* Writing PHP's serialize format straight into a buffer, for answers walked out of live tables. */
#include "proto/phpser.h"

void php_put_null(struct buf *out)
{
    buf_put(out, "N;", 2);
}

void php_put_bool(struct buf *out, bool v)
{
    buf_put(out, v ? "b:1;" : "b:0;", 4);
}

enum { NUMBER_MAX = 20 }; /* digits of 2^64 */

/* Digits are written backwards: these functions run per member of a group, printf() is too slow. */
static uint8_t *write_number(uint8_t *to, uint64_t magnitude)
{
    uint8_t digits[NUMBER_MAX];
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    memcpy(to, digits + at, sizeof digits - at);
    return to + (sizeof digits - at);
}

static void commit_to(struct buf *out, const uint8_t *from, const uint8_t *end)
{
    buf_commit(out, (size_t)(end - from));
}

void php_put_int(struct buf *out, int64_t v)
{
    uint8_t *from = buf_reserve(out, NUMBER_MAX + 4), *to = from;
    *to++ = 'i';
    *to++ = ':';
    if (v < 0)
        *to++ = '-';
    to = write_number(to, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
    *to++ = ';';
    commit_to(out, from, to);
}

uint8_t *php_put_string_room(struct buf *out, size_t len)
{
    uint8_t *from = buf_reserve(out, len + NUMBER_MAX + 6), *to = from;
    *to++ = 's';
    *to++ = ':';
    to = write_number(to, len);
    *to++ = ':';
    *to++ = '"';
    uint8_t *room = to;
    to += len;
    *to++ = '"';
    *to++ = ';';
    commit_to(out, from, to);
    return room;
}

void php_put_string(struct buf *out, struct span v)
{
    uint8_t *room = php_put_string_room(out, v.len);
    if (v.len > 0)
        memcpy(room, v.at, v.len);
}

void php_put_key(struct buf *out, struct span text)
{
    struct php_key key = php_key_of(text);

    if (key.is_int)
        php_put_int(out, key.num);
    else
        php_put_string(out, key.text);
}

void php_put_array(struct buf *out, size_t len)
{
    uint8_t *from = buf_reserve(out, NUMBER_MAX + 4), *to = from;
    *to++ = 'a';
    *to++ = ':';
    to = write_number(to, len);
    *to++ = ':';
    *to++ = '{';
    commit_to(out, from, to);
}

void php_put_array_end(struct buf *out)
{
    buf_putc(out, '}');
}

/* The digits of a decimal text as a magnitude up to 2^63; false when there are too many. */
static bool read_magnitude(struct span digits, uint64_t *out)
{
    uint64_t v = 0;

    if (digits.len == 0 || digits.len > 19) /* 2^63 has 19 digits */
        return false;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(digits.at[i] - '0'); /* below 10^19, which fits */
    }
    *out = v;
    return true;
}

struct php_key php_key_of(struct span text)
{
    struct php_key as_text = {.text = text};
    bool is_negative = text.len > 0 && text.at[0] == '-';
    struct span digits = span_skip(text, is_negative);
    uint64_t magnitude;

    if (!read_magnitude(digits, &magnitude))
        return as_text;
    /* "-0", "007" and "00" stay text (vectors/README.md, traps). */
    if (digits.at[0] == '0' && (digits.len > 1 || is_negative))
        return as_text;
    if (magnitude > (uint64_t)INT64_MAX + is_negative)
        return as_text;
    int64_t num = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return (struct php_key){.is_int = true, .num = num};
}
