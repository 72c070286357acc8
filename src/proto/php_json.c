/* Values as JSON, byte for byte as json_encode() writes them. */
#include "proto/php_json.h"

#include <math.h>
#include <stdio.h>

#include "base/utf8.h"
#include "proto/php_float.h"
#include "proto/php_value.h"

static void put_u16_escape(struct buf *out, uint32_t unit)
{
    static const char hex[] = "0123456789abcdef";
    char text[6] = {
        '\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};

    buf_put(out, text, sizeof text);
}

static void put_code_point_escape(struct buf *out, uint32_t c)
{
    if (c < 0x10000) {
        put_u16_escape(out, c);
        return;
    }
    c -= 0x10000;
    put_u16_escape(out, 0xd800 + (c >> 10));
    put_u16_escape(out, 0xdc00 + (c & 0x3ff));
}

/* The character at the front of text that is known to be UTF-8; its length goes to *len. */
static uint32_t code_point(const uint8_t *at, size_t *len)
{
    uint32_t c = at[0];

    *len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    c &= 0xffu >> (*len + 1);
    for (size_t i = 1; i < *len; i++)
        c = c << 6 | (at[i] & 0x3fu);
    return c;
}

static size_t put_wide(struct buf *out, const uint8_t *at, unsigned flags)
{
    size_t len;
    uint32_t c = code_point(at, &len);

    if (flags & PHP_JSON_UNESCAPED_UNICODE && c != 0x2028 && c != 0x2029)
        buf_put(out, at, len);
    else
        put_code_point_escape(out, c);
    return len;
}

static void put_ascii(struct buf *out, uint8_t c, unsigned flags)
{
    static const char short_form[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f',
                                      ['\r'] = 'r', ['"'] = '"',  ['/'] = '/',  ['\\'] = '\\'};

    if (c < sizeof short_form && short_form[c] &&
        !(c == '/' && flags & PHP_JSON_UNESCAPED_SLASHES)) {
        buf_putc(out, '\\');
        buf_putc(out, (uint8_t)short_form[c]);
    } else if (c < 0x20) {
        put_u16_escape(out, c);
    } else {
        buf_putc(out, c);
    }
}

bool php_json_put_string(struct buf *out, struct span text, unsigned flags)
{
    if (!utf8_is_valid(text))
        return false;
    buf_putc(out, '"');
    for (size_t i = 0; i < text.len;) {
        if (text.at[i] < 0x80)
            put_ascii(out, text.at[i++], flags);
        else
            i += put_wide(out, text.at + i, flags);
    }
    buf_putc(out, '"');
    return true;
}

/* PHP's array_is_list(): keys 0, 1, 2 … in order. */
static bool is_list(const struct php_value *array)
{
    const struct php_value *v;
    struct php_key key;
    size_t pos = 0;

    for (int64_t expected = 0; php_next(array, &pos, &key, &v); expected++)
        if (!key.is_int || key.num != expected)
            return false;
    return true;
}

static bool put_value(const struct php_value *v, unsigned flags, struct buf *out);

static bool put_key(const struct php_key *key, unsigned flags, struct buf *out)
{
    if (key->is_int)
        buf_printf(out, "\"%lld\":", (long long)key->num);
    else if (php_json_put_string(out, key->text, flags))
        buf_putc(out, ':');
    else
        return false;
    return true;
}

static bool put_array(const struct php_value *array, unsigned flags, struct buf *out)
{
    bool as_list = is_list(array);
    const struct php_value *v;
    struct php_key key;
    size_t pos = 0;
    bool is_first = true;

    buf_putc(out, as_list ? '[' : '{');
    while (php_next(array, &pos, &key, &v)) {
        if (!is_first)
            buf_putc(out, ',');
        is_first = false;
        if (!as_list && !put_key(&key, flags, out))
            return false;
        if (!put_value(v, flags, out))
            return false;
    }
    buf_putc(out, as_list ? ']' : '}');
    return true;
}

static bool put_value(const struct php_value *v, unsigned flags, struct buf *out)
{
    switch (v->type) {
    case PHP_NULL:
        buf_puts(out, "null");
        return true;
    case PHP_BOOL:
        buf_puts(out, v->as.boolean ? "true" : "false");
        return true;
    case PHP_INT:
        buf_printf(out, "%lld", (long long)v->as.num);
        return true;
    case PHP_FLOAT:
        if (!isfinite(v->as.real))
            return false;
        php_put_float(out, v->as.real, 'e');
        return true;
    case PHP_STRING:
        return php_json_put_string(out, php_string(v), flags);
    case PHP_ARRAY:
        return put_array(v, flags, out);
    }
    return false;
}

bool php_write_json(const struct php_value *v, bool is_unescaped, struct buf *out)
{
    size_t len_before = out->len;

    if (put_value(v, is_unescaped ? PHP_JSON_UNESCAPED_UNICODE : 0, out))
        return true;
    out->len = len_before;
    return false;
}
