/* The JSON that most messages are: objects and arrays a few levels deep, short names, text with
 * simple escapes, integers. jansson looks at each byte several times, which was half of what a chat
 * message cost its worker. All else (numbers with a fraction, \u, long names) gives NULL here and
 * is read by jansson, and so is every mistake, so that there is one voice that tells of them. What
 * is accepted here, jansson accepts too, with the same result: tests/unit/base/json_read_test.c. */
#include "base/json_read.h"

#include <jansson.h>
#include <string.h>

#include "base/json_text.h"
#include "base/utf8.h"

enum {
    DEPTH_MAX = 16,        /* the stack is a coroutine's */
    NAME_MAX_BYTES = 63,   /* on the stack as well */
    TEXT_MAX_BYTES = 1024, /* of text with escapes in it */
    DIGITS_MAX = 18,       /* any number of so many fits into 64 bits */
};

struct reader {
    const uint8_t *at, *end;
    uint8_t unescaped[TEXT_MAX_BYTES];
};

static json_t *read_value(struct reader *r, unsigned depth);

/* The next byte that is no blank; 0, which begins nothing, at the end. */
static uint8_t peek(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
    return r->at < r->end ? *r->at : 0;
}

static bool take(struct reader *r, uint8_t byte)
{
    if (peek(r) != byte)
        return false;
    r->at++;
    return true;
}

/* The rest of a text that begins with `plain` and goes on with an escape. */
static bool read_escaped(struct reader *r, struct span plain, struct span *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    size_t len = 0;
    for (;;) {
        if (plain.len >= TEXT_MAX_BYTES - len)
            return false;
        memcpy(r->unescaped + len, plain.at, plain.len);
        len += plain.len;
        r->at += plain.len;
        if (r->at < r->end && *r->at == '"')
            break;
        if (r->end - r->at < 2 || *r->at != '\\')
            return false;
        const char *hit = memchr(from, r->at[1], sizeof from - 1);
        if (!hit)
            return false;
        r->unescaped[len++] = (uint8_t)to[hit - from];
        r->at += 2;
        plain = span_of(r->at, (size_t)(r->end - r->at));
        plain.len = json_plain_len(plain);
    }
    r->at++;
    *out = span_of(r->unescaped, len);
    return true;
}

/* A string; the text is good until the next one is read. */
static bool read_text(struct reader *r, struct span *out)
{
    if (!take(r, '"'))
        return false;
    struct span rest = span_of(r->at, (size_t)(r->end - r->at));
    *out = span_of(rest.at, json_plain_len(rest));
    if (out->len == rest.len || rest.at[out->len] != '"')
        return read_escaped(r, *out, out);
    r->at += out->len + 1;
    return true;
}

static json_t *read_string(struct reader *r)
{
    struct span text;
    return read_text(r, &text) ? json_stringn_nocheck((const char *)text.at, text.len) : NULL;
}

static bool read_member(struct reader *r, json_t *object, unsigned depth)
{
    struct span text;
    char name[NAME_MAX_BYTES + 1];
    if (!read_text(r, &text) || text.len > NAME_MAX_BYTES || !take(r, ':'))
        return false;
    memcpy(name, text.at, text.len);
    name[text.len] = '\0';
    return json_object_set_new_nocheck(object, name, read_value(r, depth)) == 0;
}

static bool read_element(struct reader *r, json_t *array, unsigned depth)
{
    return json_array_append_new(array, read_value(r, depth)) == 0;
}

/* Members or elements up to the closing bracket. */
static json_t *read_all(struct reader *r, json_t *all, uint8_t closing,
                        bool (*read_one)(struct reader *, json_t *, unsigned), unsigned depth)
{
    r->at++;
    if (all && take(r, closing))
        return all;
    while (all && read_one(r, all, depth - 1)) {
        if (take(r, closing))
            return all;
        if (!take(r, ','))
            break;
    }
    json_decref(all);
    return NULL;
}

static json_t *read_integer(struct reader *r)
{
    bool is_negative = *r->at == '-';
    const uint8_t *first = r->at + is_negative;
    json_int_t v = 0;
    for (r->at = first; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        if (r->at - first == DIGITS_MAX)
            return NULL;
        v = v * 10 + (*r->at - '0');
    }
    bool goes_on = r->at < r->end && (*r->at == '.' || *r->at == 'e' || *r->at == 'E');
    bool is_padded = r->at - first > 1 && *first == '0';
    return r->at == first || goes_on || is_padded ? NULL : json_integer(is_negative ? -v : v);
}

static json_t *read_word(struct reader *r, const char *word, json_t *v)
{
    size_t len = strlen(word);
    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return NULL;
    r->at += len;
    return v;
}

static json_t *read_value(struct reader *r, unsigned depth)
{
    switch (peek(r)) {
    case '"':
        return read_string(r);
    case '{':
        return depth ? read_all(r, json_object(), '}', read_member, depth) : NULL;
    case '[':
        return depth ? read_all(r, json_array(), ']', read_element, depth) : NULL;
    case 't':
        return read_word(r, "true", json_true());
    case 'f':
        return read_word(r, "false", json_false());
    case 'n':
        return read_word(r, "null", json_null());
    default:
        return r->at < r->end ? read_integer(r) : NULL;
    }
}

struct gw_json *json_read_common(struct gw_bytes text, unsigned depth_max)
{
    struct reader r;
    if (text.len == 0 || !utf8_is_valid(span_of(text.data, text.len)))
        return NULL;
    r.at = (const uint8_t *)text.data;
    r.end = r.at + text.len;
    json_t *v = read_value(&r, depth_max < DEPTH_MAX ? depth_max : DEPTH_MAX);
    peek(&r);
    if (v && r.at == r.end)
        return (struct gw_json *)(void *)v;
    json_decref(v);
    return NULL;
}
