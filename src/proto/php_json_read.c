/* Reading JSON as PHP's json_decode($text, true) does, into a document and within its limits.
 *
 * jansson is not used here: objects must keep PHP's key rule, whole numbers beyond 64 bits become
 * floats, and a peer's text may cost only as many elements, and as much depth, as php_read()
 * allows. */
#include "base/hex.h"
#include "base/utf8.h"
#include "proto/php_float.h"
#include "proto/php_value.h"

struct json {
    struct php_doc *doc;
    const uint8_t *at;
    const uint8_t *end;
    size_t elements_left;
};

static int peek(const struct json *j)
{
    return j->at < j->end ? *j->at : -1;
}

static void skip_blanks(struct json *j)
{
    while (j->at < j->end && (*j->at == ' ' || *j->at == '\t' || *j->at == '\n' || *j->at == '\r'))
        j->at++;
}

static bool skip_byte(struct json *j, int byte)
{
    if (peek(j) != byte)
        return false;
    j->at++;
    return true;
}

static bool skip_word(struct json *j, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(j->end - j->at) < len || memcmp(j->at, word, len) != 0)
        return false;
    j->at += len;
    return true;
}

static bool skip_digits(struct json *j)
{
    const uint8_t *from = j->at;

    while (peek(j) >= '0' && peek(j) <= '9')
        j->at++;
    return j->at > from;
}

/* RFC 8259 §6: no leading zeros, digits on both sides of the point. */
static bool skip_number(struct json *j, bool *is_whole)
{
    *is_whole = true;
    (void)skip_byte(j, '-');
    if (!skip_byte(j, '0') && !skip_digits(j))
        return false;
    if (skip_byte(j, '.')) {
        *is_whole = false;
        if (!skip_digits(j))
            return false;
    }
    if (skip_byte(j, 'e') || skip_byte(j, 'E')) {
        *is_whole = false;
        if (!skip_byte(j, '+'))
            (void)skip_byte(j, '-');
        return skip_digits(j);
    }
    return true;
}

/* A whole number that is a PHP integer looks like an integer key, except for "-0". */
static struct php_value *read_number(struct json *j)
{
    const uint8_t *from = j->at;
    double real;
    bool is_whole;

    if (!skip_number(j, &is_whole))
        return NULL;
    struct span text = span_of(from, (size_t)(j->at - from));
    struct php_key key = php_key_of(text);
    if (is_whole && key.is_int)
        return php_new_int(j->doc, key.num);
    if (span_is(text, "-0"))
        return php_new_int(j->doc, 0);
    return php_float_of(text, &real) ? php_new_float(j->doc, real) : NULL;
}

static bool read_hex4(struct span text, uint32_t *out)
{
    uint32_t v = 0;

    if (text.len < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_digit(text.at[i]);
        if (digit < 0)
            return false;
        v = v << 4 | (uint32_t)digit;
    }
    *out = v;
    return true;
}

/* Text behind `\u`; a high surrogate needs its low one (RFC 8259 §7). Returns the bytes used or 0.
 */
static size_t read_code_point(struct span text, uint32_t *out)
{
    uint32_t low;

    if (!read_hex4(text, out) || (*out >= 0xdc00 && *out < 0xe000))
        return 0;
    if (*out < 0xd800 || *out >= 0xe000)
        return 4;
    if (text.len < 10 || text.at[4] != '\\' || text.at[5] != 'u' ||
        !read_hex4(span_skip(text, 6), &low) || low < 0xdc00 || low >= 0xe000)
        return 0;
    *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    return 10;
}

static size_t put_utf8(uint8_t *to, uint32_t c)
{
    if (c < 0x80) {
        to[0] = (uint8_t)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        to[i] = (uint8_t)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    to[0] = (uint8_t)((0xf00u >> len) | c);
    return len;
}

/* One escape, text begins behind the backslash. Returns the bytes used, 0 when it is none. */
static size_t read_escape(struct span text, uint8_t *to, size_t *to_len)
{
    static const char plain[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    uint32_t c;

    if (text.len == 0)
        return 0;
    if (text.at[0] == 'u') {
        size_t used = read_code_point(span_skip(text, 1), &c);
        if (used == 0)
            return 0;
        *to_len = put_utf8(to, c);
        return used + 1;
    }
    const char *found = memchr(plain, text.at[0], sizeof plain - 1);
    if (!found)
        return 0;
    to[0] = (uint8_t)meant[found - plain];
    *to_len = 1;
    return 1;
}

static bool decode_text(struct span raw, uint8_t *to, size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < raw.len;) {
        if (raw.at[i] < 0x20)
            return false;
        if (raw.at[i] != '\\') {
            to[(*len)++] = raw.at[i++];
            continue;
        }
        size_t made = 0;
        size_t used = read_escape(span_skip(raw, i + 1), to + *len, &made);
        if (used == 0)
            return false;
        i += 1 + used;
        *len += made;
    }
    return true;
}

/* The text between quotes; an escape never decodes to more bytes than it has. */
static bool read_text(struct json *j, struct span *out)
{
    if (!skip_byte(j, '"'))
        return false;
    const uint8_t *from = j->at;
    while (j->at < j->end && *j->at != '"')
        j->at += *j->at == '\\' && j->end - j->at > 1 ? 2 : 1;
    struct span raw = span_of(from, (size_t)(j->at - from));
    if (!skip_byte(j, '"') || !utf8_is_valid(raw))
        return false;
    uint8_t *text = php_doc_text(j->doc, raw.len);
    size_t len;
    if (!decode_text(raw, text, &len))
        return false;
    *out = span_of(text, len);
    return true;
}

static struct php_value *read_value(struct json *j, int depth);

static bool take_element(struct json *j)
{
    if (j->elements_left == 0)
        return false;
    j->elements_left--;
    return true;
}

static struct php_value *read_list(struct json *j, int depth)
{
    struct php_value *list = php_new_array(j->doc);

    skip_blanks(j);
    if (skip_byte(j, ']'))
        return list;
    do {
        struct php_value *v = take_element(j) ? read_value(j, depth) : NULL;
        if (!v)
            return NULL;
        php_append(j->doc, list, v);
    } while (skip_byte(j, ','));
    return skip_byte(j, ']') ? list : NULL;
}

static struct php_value *read_object(struct json *j, int depth)
{
    struct php_value *object = php_new_array(j->doc);
    struct span key;

    skip_blanks(j);
    if (skip_byte(j, '}'))
        return object;
    do {
        skip_blanks(j);
        if (!take_element(j) || !read_text(j, &key))
            return NULL;
        skip_blanks(j);
        struct php_value *v = skip_byte(j, ':') ? read_value(j, depth) : NULL;
        if (!v)
            return NULL;
        php_set_over(j->doc, object, php_key_of(key), v);
    } while (skip_byte(j, ','));
    return skip_byte(j, '}') ? object : NULL;
}

/* Blanks around the value are used up too. */
static struct php_value *read_value(struct json *j, int depth)
{
    struct php_value *v = NULL;
    struct span text;

    skip_blanks(j);
    if ((peek(j) == '[' || peek(j) == '{') && depth >= PHP_DEPTH_MAX)
        return NULL;
    if (skip_byte(j, '['))
        v = read_list(j, depth + 1);
    else if (skip_byte(j, '{'))
        v = read_object(j, depth + 1);
    else if (peek(j) == '"')
        v = read_text(j, &text) ? php_new_string_over(j->doc, text.at, text.len) : NULL;
    else if (skip_word(j, "null"))
        v = php_new_null(j->doc);
    else if (skip_word(j, "true"))
        v = php_new_bool(j->doc, true);
    else if (skip_word(j, "false"))
        v = php_new_bool(j->doc, false);
    else
        v = read_number(j);
    skip_blanks(j);
    return v;
}

struct php_value *php_read_json(struct php_doc *d, struct span in)
{
    if (in.len == 0 || in.len > PHP_BYTES_MAX)
        return NULL;
    struct json j = {
        .doc = d, .at = in.at, .end = in.at + in.len, .elements_left = PHP_ELEMENTS_MAX};
    struct php_value *v = read_value(&j, 0);
    return j.at == j.end ? v : NULL;
}
