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

/* Digits are written backwards: these functions run per member of a group, printf() is too slow. */
static void put_number(struct buf *out, uint64_t magnitude, bool is_negative)
{
    uint8_t digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (uint8_t)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (is_negative)
        buf_putc(out, '-');
    buf_put(out, digits + at, sizeof digits - at);
}

void php_put_int(struct buf *out, int64_t v)
{
    buf_put(out, "i:", 2);
    put_number(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, v < 0);
    buf_putc(out, ';');
}

void php_put_string(struct buf *out, struct span v)
{
    buf_put(out, "s:", 2);
    put_number(out, v.len, false);
    buf_put(out, ":\"", 2);
    buf_put_span(out, v);
    buf_put(out, "\";", 2);
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
    buf_put(out, "a:", 2);
    put_number(out, len, false);
    buf_put(out, ":{", 2);
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
