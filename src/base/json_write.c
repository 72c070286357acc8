/* JSON trees as text. Not jansson's own dump: its hex digits are capitals and its reals have 17
 * digits, where PHP's json_encode(), whose bytes we match, has lower case and the shortest form. */
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"

enum { MESSAGE_BYTES = 512 /* as many messages have; grown where they have more */ };

struct writer {
    struct buf *out;
    enum gw_json_style style;
};

/* Four digits, in lower case as PHP writes them. */
static void put_unit(struct buf *out, uint32_t unit)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t text[] = {'\\',
                            'u',
                            (uint8_t)digits[unit >> 12],
                            (uint8_t)digits[unit >> 8 & 15],
                            (uint8_t)digits[unit >> 4 & 15],
                            (uint8_t)digits[unit & 15]};
    buf_put(out, text, sizeof text);
}

static void put_escape(struct buf *out, uint8_t c)
{
    static const char from[] = "\"\\/\b\f\n\r\t", to[] = "\"\\/bfnrt";
    const char *hit = c ? strchr(from, c) : NULL;
    if (!hit) {
        put_unit(out, c);
        return;
    }
    buf_putc(out, '\\');
    buf_putc(out, (uint8_t)to[hit - from]);
}

/* One character beyond ASCII as \uXXXX, two of them above U+FFFF (RFC 8259 §7). The text is valid
 * UTF-8, jansson takes no other. Returns its length in bytes. */
static size_t put_unicode(struct buf *out, const uint8_t *at)
{
    size_t len = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    uint32_t c = at[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (at[i] & 0x3fU);
    if (c < 0x10000) {
        put_unit(out, c);
    } else {
        c -= 0x10000;
        put_unit(out, 0xd800 + (c >> 10));
        put_unit(out, 0xdc00 + (c & 0x3ff));
    }
    return len;
}

/* The character at the front of the text, escaped; returns its length. */
static size_t put_special(struct buf *out, const uint8_t *at)
{
    if (*at >= 0x80)
        return put_unicode(out, at);
    put_escape(out, *at);
    return 1;
}

static size_t plain_len(const struct writer *w, struct span text)
{
    return w->style == GW_JSON_PLAIN ? json_plain_len(text) : json_plain_ascii_len(text);
}

/* One without escapes, as most are. */
static void put_plain_str(struct buf *out, struct span text)
{
    uint8_t *to = buf_reserve(out, text.len + 2);
    *to++ = '"';
    if (text.len > 0)
        memcpy(to, text.at, text.len);
    to[text.len] = '"';
    buf_commit(out, text.len + 2);
}

static void put_str(const struct writer *w, struct gw_bytes text)
{
    struct span rest = span_of(text.data, text.len);
    size_t plain_n = plain_len(w, rest);
    if (plain_n == rest.len) {
        put_plain_str(w->out, rest);
        return;
    }
    buf_putc(w->out, '"');
    for (;; plain_n = plain_len(w, rest)) {
        buf_put(w->out, rest.at, plain_n);
        rest = span_skip(rest, plain_n);
        if (rest.len == 0)
            break;
        rest = span_skip(rest, put_special(w->out, rest.at));
    }
    buf_putc(w->out, '"');
}

/* The fewest digits that read back as the same number. */
static void put_real(struct buf *out, double v)
{
    char text[32];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        double again = strtod(text, NULL);
        if (!(again < v) && !(again > v))
            break;
    }
    /* An outside program may have set a locale with another decimal point. */
    char *point = strchr(text, ',');
    if (point)
        *point = '.';
    buf_puts(out, text);
}

static int put_value(const struct writer *w, const struct gw_json *v, unsigned depth);

static int put_array(const struct writer *w, const struct gw_json *v, unsigned depth)
{
    int rc = 0;
    buf_putc(w->out, '[');
    for (size_t i = 0; rc == 0 && i < gw_json_len(v); i++) {
        if (i)
            buf_putc(w->out, ',');
        rc = put_value(w, gw_json_at(v, i), depth);
    }
    buf_putc(w->out, ']');
    return rc;
}

static int put_object(const struct writer *w, const struct gw_json *v, unsigned depth)
{
    void *it = NULL;
    const char *name;
    const struct gw_json *value;
    bool is_first = true;
    int rc = 0;
    buf_putc(w->out, '{');
    while (rc == 0 && gw_json_next(v, &it, &name, &value)) {
        if (!is_first)
            buf_putc(w->out, ',');
        is_first = false;
        put_str(w, gw_str(name));
        buf_putc(w->out, ':');
        rc = put_value(w, value, depth);
    }
    buf_putc(w->out, '}');
    return rc;
}

static int put_value(const struct writer *w, const struct gw_json *v, unsigned depth)
{
    switch (gw_json_type(v)) {
    case GW_JSON_ARRAY:
        return depth ? put_array(w, v, depth - 1) : GW_ETOOBIG;
    case GW_JSON_OBJECT:
        return depth ? put_object(w, v, depth - 1) : GW_ETOOBIG;
    case GW_JSON_STR:
        put_str(w, gw_json_as_strn(v));
        return 0;
    case GW_JSON_INT:
        buf_printf(w->out, "%" PRId64, gw_json_as_int(v, 0));
        return 0;
    case GW_JSON_REAL:
        put_real(w->out, gw_json_as_real(v, 0));
        return 0;
    case GW_JSON_BOOL:
        buf_puts(w->out, gw_json_as_bool(v, false) ? "true" : "false");
        return 0;
    case GW_JSON_NULL:
        buf_puts(w->out, "null");
        return 0;
    case GW_JSON_ABSENT:
        break;
    }
    return -EINVAL;
}

int json_write(struct buf *out, const struct gw_json *v, enum gw_json_style style)
{
    struct writer w = {.out = out, .style = style};
    size_t len = out->len;
    int rc = put_value(&w, v, GW_JSON_DEPTH_MAX);
    if (rc < 0)
        out->len = len;
    return rc;
}

char *gw_json_dump(const struct gw_json *v, enum gw_json_style style, size_t *len)
{
    struct buf out = {0};
    buf_reserve(&out, MESSAGE_BYTES);
    if (json_write(&out, v, style) < 0) {
        buf_fini(&out);
        return NULL;
    }
    if (len)
        *len = out.len;
    /* Nothing was consumed, so the content starts where the allocation does. */
    (void)buf_cstr(&out);
    return (char *)out.base;
}
