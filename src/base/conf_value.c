/* Values of the config, read and described by the type of their key. */
#include "base/conf_value.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/span.h"

static bool is_in_range(const struct conf_key *key, int64_t v)
{
    return (key->min == 0 && key->max == 0) || (v >= key->min && v <= key->max);
}

static bool read_int(const char *text, int64_t *out)
{
    bool is_negative = text[0] == '-';
    uint64_t v;
    if (!span_to_u64(span_str(text + is_negative), &v) || v > INT64_MAX)
        return false;
    *out = is_negative ? -(int64_t)v : (int64_t)v;
    return true;
}

static bool read_size(const char *text, int64_t *out)
{
    struct span digits = span_str(text);
    static const char suffixes[] = "kmg";
    unsigned shift = 0;
    if (digits.len > 0) {
        const char *hit = strchr(suffixes, digits.at[digits.len - 1] | 0x20);
        if (hit && *hit) {
            shift = 10 * (unsigned)(hit - suffixes + 1);
            digits.len--;
        }
    }
    uint64_t v;
    if (!span_to_u64(digits, &v) || v > (uint64_t)INT64_MAX >> shift)
        return false;
    *out = (int64_t)(v << shift);
    return true;
}

/* "25" or "0.4" as milliseconds, without a detour over floating point. */
static bool read_seconds(const char *text, int64_t *out)
{
    struct span fraction = span_str(text);
    struct span whole = span_cut(&fraction, '.');
    uint64_t s, ms = 0;
    if (!span_to_u64(whole, &s) || s > INT64_MAX / 1000 - 1)
        return false;
    if (fraction.at && (fraction.len > 3 || !span_to_u64(fraction, &ms)))
        return false;
    for (size_t digits = fraction.len; fraction.at && digits < 3; digits++)
        ms *= 10;
    *out = (int64_t)(s * 1000 + ms);
    return true;
}

static bool read_ms(const char *text, int64_t *out)
{
    uint64_t v;
    if (!span_to_u64(span_str(text), &v) || v > INT64_MAX)
        return false;
    *out = (int64_t)v;
    return true;
}

static bool read_bool(const char *text, bool *out)
{
    static const char *const words[][2] = {
        {"false", "true"}, {"no", "yes"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        for (int v = 0; v < 2; v++)
            if (strcasecmp(text, words[i][v]) == 0) {
                *out = v;
                return true;
            }
    return false;
}

static bool read_choice(const char *choices, const char *text, int *out)
{
    struct span rest = span_str(choices);
    for (int pos = 0; rest.at; pos++)
        if (span_is(span_cut(&rest, '|'), text)) {
            *out = pos;
            return true;
        }
    return false;
}

static bool read_number(const struct conf_key *key, const char *text, void *field)
{
    int64_t v = 0;
    bool is_read = key->type == CONF_INT       ? read_int(text, &v)
                   : key->type == CONF_SIZE    ? read_size(text, &v)
                   : key->type == CONF_SECONDS ? read_seconds(text, &v)
                                               : read_ms(text, &v);
    if (!is_read || !is_in_range(key, v))
        return false;
    if (key->type == CONF_INT)
        *(int64_t *)field = v;
    else
        *(uint64_t *)field = (uint64_t)v;
    return true;
}

bool conf_value_read(const struct conf_key *key, const char *text, void *field, struct buf *why)
{
    bool is_read = false;
    switch (key->type) {
    case CONF_STR:
    case CONF_LIST:
        *(const char **)field = text;
        return true;
    case CONF_INT:
    case CONF_SIZE:
    case CONF_SECONDS:
    case CONF_MS:
        is_read = read_number(key, text, field);
        break;
    case CONF_BOOL:
        is_read = read_bool(text, field);
        break;
    case CONF_ENUM:
        is_read = read_choice(key->choices, text, field);
        break;
    }
    if (!is_read) {
        buf_printf(why, "\"%s\" must be ", text);
        conf_value_describe(key, why);
    }
    return is_read;
}

static void describe_bound(const struct conf_key *key, int64_t v, struct buf *out)
{
    static const char suffixes[] = "kmg";
    unsigned steps = 0;
    if (key->type == CONF_SECONDS) {
        buf_printf(out, "%g", (double)v / 1000);
        return;
    }
    while (key->type == CONF_SIZE && v && v % 1024 == 0 && steps < 3) {
        v /= 1024;
        steps++;
    }
    buf_printf(out, "%" PRId64, v);
    if (steps)
        buf_putc(out, (uint8_t)suffixes[steps - 1]);
}

static void describe_choices(const char *choices, struct buf *out)
{
    struct span rest = span_str(choices);
    for (bool is_first = true; rest.at; is_first = false) {
        struct span choice = span_cut(&rest, '|');
        if (!is_first)
            buf_puts(out, rest.at ? ", " : " or ");
        buf_put_span(out, choice);
    }
}

void conf_value_describe(const struct conf_key *key, struct buf *out)
{
    static const char *const nouns[] = {
        [CONF_STR] = "text",
        [CONF_LIST] = "text, repeatable",
        [CONF_INT] = "a whole number",
        [CONF_SIZE] = "a size in bytes (k, m, g for 1024 each)",
        [CONF_SECONDS] = "seconds (0.001 at the finest)",
        [CONF_MS] = "whole milliseconds",
        [CONF_BOOL] = "true or false",
    };
    if (key->type == CONF_ENUM) {
        describe_choices(key->choices, out);
        return;
    }
    buf_puts(out, nouns[key->type]);
    if ((key->min || key->max) && key->type != CONF_BOOL) {
        buf_puts(out, " from ");
        describe_bound(key, key->min, out);
        buf_puts(out, " to ");
        describe_bound(key, key->max, out);
    }
}
