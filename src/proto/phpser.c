/* PHP's serialize format: a bounded reader into a document, and the writer of its values.
 *
 * The grammar is that of php-src ext/standard/var_unserializer.re, without objects (O, C, E) and
 * references (R, r). Arrays nest at most PHP_DEPTH_MAX deep; the elements that all array heads
 * together announce are counted before any memory is taken for them. */
#include "proto/phpser.h"

#include <math.h>

#include <gw/err.h>

#include "base/hex.h"
#include "proto/php_float.h"
#include "proto/php_value.h"

enum { ELEMENT_MIN = 6 }; /* `i:0;N;` is the smallest key and value */

struct reader {
    struct php_doc *doc;
    const uint8_t *at;
    const uint8_t *end;
    size_t elements_left;
    int err;
    void (*step)(void *arg); /* NULL: nobody is told */
    void *step_arg;
};

static struct php_value *refuse(struct reader *r, int err)
{
    r->err = err;
    return NULL;
}

static size_t left(const struct reader *r)
{
    return (size_t)(r->end - r->at);
}

static bool skip_byte(struct reader *r, char byte)
{
    if (r->at == r->end || *r->at != (uint8_t)byte)
        return false;
    r->at++;
    return true;
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* Digits without sign, as lengths are written (leading zeros are fine: `s:01:"a";`). */
static bool read_len(struct reader *r, size_t *out)
{
    const uint8_t *from = r->at;
    size_t v = 0;

    while (r->at < r->end && is_digit(*r->at)) {
        if (v > UINT32_MAX)
            return false;
        v = v * 10 + (size_t)(*r->at++ - '0');
    }
    *out = v;
    return r->at > from;
}

/* `[+-]?[0-9]+;` — too large numbers become the largest, as PHP does with a warning. */
static bool read_int(struct reader *r, int64_t *out)
{
    bool is_negative = skip_byte(r, '-');
    uint64_t limit = (uint64_t)INT64_MAX + is_negative;
    uint64_t v = 0;

    if (!is_negative)
        (void)skip_byte(r, '+');
    if (r->at == r->end || !is_digit(*r->at))
        return false;
    while (r->at < r->end && is_digit(*r->at)) {
        uint64_t digit = (uint64_t)(*r->at++ - '0');
        v = v > (limit - digit) / 10 ? limit : v * 10 + digit;
    }
    *out = is_negative ? (int64_t)(0 - v) : (int64_t)v;
    return skip_byte(r, ';');
}

static struct php_value *read_int_value(struct reader *r)
{
    int64_t v;

    return read_int(r, &v) ? php_new_int(r->doc, v) : refuse(r, GW_EPROTO);
}

static struct php_value *read_bool_value(struct reader *r)
{
    bool is_true = skip_byte(r, '1');

    if ((!is_true && !skip_byte(r, '0')) || !skip_byte(r, ';'))
        return refuse(r, GW_EPROTO);
    return php_new_bool(r->doc, is_true);
}

static size_t count_digits(struct span *text)
{
    size_t n = 0;

    while (n < text->len && is_digit(text->at[n]))
        n++;
    *text = span_skip(*text, n);
    return n;
}

static void skip_sign(struct span *text)
{
    if (text->len > 0 && (text->at[0] == '+' || text->at[0] == '-'))
        *text = span_skip(*text, 1);
}

/* Digits with at most one point among or around them, then perhaps an exponent. */
static bool is_float_text(struct span text)
{
    skip_sign(&text);
    size_t digits_n = count_digits(&text);
    if (text.len > 0 && text.at[0] == '.') {
        text = span_skip(text, 1);
        digits_n += count_digits(&text);
    }
    if (digits_n == 0)
        return false;
    if (text.len > 0 && (text.at[0] == 'e' || text.at[0] == 'E')) {
        text = span_skip(text, 1);
        skip_sign(&text);
        if (count_digits(&text) == 0)
            return false;
    }
    return text.len == 0;
}

static bool float_of(struct span text, double *out)
{
    if (span_is(text, "NAN"))
        *out = NAN;
    else if (span_is(text, "INF"))
        *out = INFINITY;
    else if (span_is(text, "-INF"))
        *out = -INFINITY;
    else
        return is_float_text(text) && php_float_of(text, out);
    return true;
}

static struct php_value *read_float_value(struct reader *r)
{
    struct span rest =
        span_of(r->at, left(r) > PHP_FLOAT_TEXT_MAX + 1 ? PHP_FLOAT_TEXT_MAX + 1 : left(r));
    ptrdiff_t len = span_find(rest, ';');
    double v;

    if (len < 0 || !float_of(span_of(r->at, (size_t)len), &v))
        return refuse(r, GW_EPROTO);
    r->at += len + 1;
    return php_new_float(r->doc, v);
}

/* `5:"hello"` — the text is borrowed from the input. */
static bool read_text(struct reader *r, struct span *out)
{
    size_t len;

    if (!read_len(r, &len) || !skip_byte(r, ':') || !skip_byte(r, '"') || left(r) < len)
        return false;
    *out = span_of(r->at, len);
    r->at += len;
    return skip_byte(r, '"') && skip_byte(r, ';');
}

/* `S:4:"\61bcd";` — a form that PHP reads but never writes: the length counts decoded bytes. */
static bool read_escaped_text(struct reader *r, struct span *out)
{
    size_t len;

    if (!read_len(r, &len) || !skip_byte(r, ':') || !skip_byte(r, '"') || left(r) < len)
        return false;
    uint8_t *text = php_doc_text(r->doc, len);
    for (size_t i = 0; i < len; i++) {
        if (r->at == r->end)
            return false;
        uint8_t c = *r->at++;
        if (c == '\\') {
            int high = left(r) >= 2 ? hex_digit(r->at[0]) : -1;
            int low = left(r) >= 2 ? hex_digit(r->at[1]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            r->at += 2;
        }
        text[i] = c;
    }
    *out = span_of(text, len);
    return skip_byte(r, '"') && skip_byte(r, ';');
}

/* Text that lives as long as the document. */
static bool read_kept_text(struct reader *r, bool is_escaped, struct span *out)
{
    struct span text;

    if (is_escaped)
        return read_escaped_text(r, out);
    if (!read_text(r, &text))
        return false;
    uint8_t *copy = php_doc_text(r->doc, text.len);
    memcpy(copy, text.at, text.len);
    *out = span_of(copy, text.len);
    return true;
}

static struct php_value *read_string_value(struct reader *r, bool is_escaped)
{
    struct span text;

    if (!read_kept_text(r, is_escaped, &text))
        return refuse(r, GW_EPROTO);
    return php_new_string_over(r->doc, text.at, text.len);
}

static bool read_key(struct reader *r, struct php_key *out)
{
    struct span text;

    if (left(r) < 2 || r->at[1] != ':')
        return false;
    uint8_t tag = r->at[0];
    r->at += 2;
    if (tag == 'i') {
        out->is_int = true;
        return read_int(r, &out->num);
    }
    if ((tag != 's' && tag != 'S') || !read_kept_text(r, tag == 'S', &text))
        return false;
    *out = php_key_of(text);
    return true;
}

static struct php_value *read_value(struct reader *r, int depth);

/* A key given twice keeps its first place and takes the last value. */
static struct php_value *read_array_value(struct reader *r, int depth)
{
    size_t len;

    if (depth >= PHP_DEPTH_MAX)
        return refuse(r, GW_ETOOBIG);
    if (!read_len(r, &len) || !skip_byte(r, ':') || !skip_byte(r, '{'))
        return refuse(r, GW_EPROTO);
    if (len > left(r) / ELEMENT_MIN)
        return refuse(r, GW_EPROTO);
    if (len > r->elements_left)
        return refuse(r, GW_ETOOBIG);
    r->elements_left -= len;
    struct php_value *array = php_new_array_sized(r->doc, len);
    for (size_t i = 0; i < len; i++) {
        struct php_key key = {0};
        if (r->step)
            r->step(r->step_arg);
        if (!read_key(r, &key))
            return refuse(r, GW_EPROTO);
        const struct php_value *v = read_value(r, depth + 1);
        if (!v)
            return NULL;
        php_set_over(r->doc, array, key, v);
    }
    return skip_byte(r, '}') ? array : refuse(r, GW_EPROTO);
}

static struct php_value *read_value(struct reader *r, int depth)
{
    if (left(r) < 2)
        return refuse(r, GW_EPROTO);
    uint8_t tag = r->at[0];
    uint8_t mark = r->at[1];
    r->at += 2;
    if (tag == 'N' && mark == ';')
        return php_new_null(r->doc);
    if (mark != ':')
        return refuse(r, GW_EPROTO);
    switch (tag) {
    case 'b':
        return read_bool_value(r);
    case 'i':
        return read_int_value(r);
    case 'd':
        return read_float_value(r);
    case 's':
    case 'S':
        return read_string_value(r, tag == 'S');
    case 'a':
        return read_array_value(r, depth);
    default: /* O, C, E, R, r: objects and references are refused (docs/wire.md, section 5) */
        return refuse(r, GW_EPROTO);
    }
}

struct php_value *php_read(struct php_doc *d, struct span in, int *err)
{
    return php_read_in_steps(d, in, err, NULL, NULL);
}

struct php_value *php_read_in_steps(struct php_doc *d, struct span in, int *err,
                                    void (*step)(void *arg), void *arg)
{
    *err = in.len > PHP_BYTES_MAX ? GW_ETOOBIG : in.len == 0 ? GW_EPROTO : 0;
    if (*err < 0)
        return NULL;
    struct reader r = {.doc = d,
                       .at = in.at,
                       .end = in.at + in.len,
                       .elements_left = PHP_ELEMENTS_MAX,
                       .step = step,
                       .step_arg = arg};
    struct php_value *v = read_value(&r, 0);
    if (v && r.at != r.end)
        v = refuse(&r, GW_EPROTO);
    *err = r.err;
    return v;
}

static void write_array(const struct php_value *array, struct buf *out)
{
    const struct php_value *v;
    struct php_key key;
    size_t pos = 0;

    php_put_array(out, php_len(array));
    while (php_next(array, &pos, &key, &v)) {
        if (key.is_int)
            php_put_int(out, key.num);
        else
            php_put_string(out, key.text);
        php_write(v, out);
    }
    php_put_array_end(out);
}

void php_write(const struct php_value *v, struct buf *out)
{
    switch (v->type) {
    case PHP_NULL:
        php_put_null(out);
        break;
    case PHP_BOOL:
        php_put_bool(out, v->as.boolean);
        break;
    case PHP_INT:
        php_put_int(out, v->as.num);
        break;
    case PHP_FLOAT:
        buf_puts(out, "d:");
        php_put_float(out, v->as.real, 'E');
        buf_putc(out, ';');
        break;
    case PHP_STRING:
        php_put_string(out, php_string(v));
        break;
    case PHP_ARRAY:
        write_array(v, out);
        break;
    }
}
