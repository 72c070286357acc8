/* Whom a command is for: uids, groups or connections, read from the JSON in its ext_data. */
#include "gateway/receivers.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "proto/phpser.h"

void receivers_fini(struct receivers *t)
{
    php_doc_free(t->doc);
    mem_free(t->names);
    mem_free(t->ids);
    *t = (struct receivers){0};
}

static void begin(struct receivers *t)
{
    php_doc_free(t->doc);
    t->doc = NULL;
    t->names_n = t->ids_n = 0;
    t->has_connections = false;
}

static void add_name(struct receivers *t, struct span name)
{
    if (t->names_n == t->names_cap) {
        t->names_cap = t->names_cap ? t->names_cap * 2 : 16;
        t->names = mem_realloc(t->names, t->names_cap * sizeof(*t->names));
    }
    t->names[t->names_n++] = name;
}

static void add_id(struct receivers *t, uint32_t id)
{
    if (id == 0)
        return;
    if (t->ids_n == t->ids_cap) {
        t->ids_cap = t->ids_cap ? t->ids_cap * 2 : 16;
        t->ids = mem_realloc(t->ids, t->ids_cap * sizeof(*t->ids));
    }
    t->ids[t->ids_n++] = id;
}

/* ---- the plain forms ---- */

static bool skip(struct span *in, const char *text)
{
    struct span want = span_str(text);
    if (in->len < want.len || memcmp(in->at, want.at, want.len) != 0)
        return false;
    *in = span_skip(*in, want.len);
    return true;
}

/* A string without escapes: its text is its bytes. */
static bool scan_string(struct span *in, struct span *text)
{
    if (!skip(in, "\""))
        return false;
    size_t n = 0;
    while (n < in->len && in->at[n] != '"' && in->at[n] != '\\' && in->at[n] >= 0x20)
        n++;
    *text = span_of(in->at, n);
    *in = span_skip(*in, n);
    return skip(in, "\"") && utf8_is_valid(*text);
}

static bool scan_names(struct receivers *t, struct span *in)
{
    if (!skip(in, "["))
        return false;
    do {
        struct span name;
        if (!scan_string(in, &name))
            return false;
        add_name(t, name);
    } while (skip(in, ","));
    return skip(in, "]");
}

static bool scan_digits(struct span *in)
{
    size_t n = 0;
    while (n < in->len && in->at[n] >= '0' && in->at[n] <= '9')
        n++;
    *in = span_skip(*in, n);
    return n > 0;
}

/* null, [] or {"5":5,…}: the keys count. */
static bool scan_exclude(struct receivers *t, struct span *in)
{
    if (skip(in, "null") || skip(in, "[]") || skip(in, "{}"))
        return true;
    if (!skip(in, "{"))
        return false;
    do {
        struct span key;
        if (!scan_string(in, &key) || !skip(in, ":") || !scan_digits(in))
            return false;
        add_id(t, receivers_id(key));
    } while (skip(in, ","));
    return skip(in, "}");
}

/* A number as JSON has it: nothing but digits, no zero in front. */
static bool scan_id(struct span *in, uint32_t *id)
{
    struct span from = *in;
    if (!scan_digits(in))
        return false;
    from.len -= in->len;
    *id = receivers_id(from);
    return from.len == 1 || from.at[0] != '0';
}

/* {"5":5,…} as libraries write it: here the values count. */
static bool scan_connections(struct receivers *t, struct span *in)
{
    if (!skip(in, "{"))
        return false;
    do {
        struct span key;
        uint32_t id;
        if (!scan_string(in, &key) || !skip(in, ":") || !scan_id(in, &id))
            return false;
        add_id(t, id);
    } while (skip(in, ","));
    t->has_connections = true;
    return skip(in, "}");
}

static bool scan_groups(struct receivers *t, struct span in)
{
    return skip(&in, "{\"group\":") && scan_names(t, &in) && skip(&in, ",\"exclude\":") &&
           scan_exclude(t, &in) && skip(&in, "}") && in.len == 0;
}

static bool scan_uids(struct receivers *t, struct span in)
{
    return scan_names(t, &in) && in.len == 0;
}

static bool scan_all(struct receivers *t, struct span in)
{
    if (in.len == 0)
        return true;
    bool is_known = skip(&in, "{\"connections\":")
                        ? scan_connections(t, &in)
                        : skip(&in, "{\"exclude\":") && scan_exclude(t, &in);
    return is_known && skip(&in, "}") && in.len == 0;
}

/* ---- everything else ---- */

static struct span int_text(struct php_doc *doc, int64_t v)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%" PRId64, v);
    return php_string(php_new_string(doc, span_of(text, (size_t)n)));
}

bool receivers_key_text(struct php_doc *doc, const struct php_value *v, struct span *text)
{
    switch (php_type(v)) {
    case PHP_NULL:
        *text = span_of(NULL, 0);
        return true;
    case PHP_BOOL:
        *text = span_str(php_bool(v) ? "1" : "0");
        return true;
    case PHP_INT:
        *text = int_text(doc, php_int(v));
        return true;
    case PHP_FLOAT: {
        double d = trunc(php_float(v));
        *text = int_text(doc, d >= -0x1p63 && d < 0x1p63 ? (int64_t)d : 0);
        return true;
    }
    case PHP_STRING:
        *text = php_string(v);
        return true;
    case PHP_ARRAY:
        break;
    }
    return false;
}

uint32_t receivers_id(struct span text)
{
    uint64_t id;
    if (text.len == 0 || text.at[0] == '0' || !span_to_u64(text, &id) || id > UINT32_MAX)
        return 0;
    return (uint32_t)id;
}

uint32_t receivers_id_of_key(const struct php_key *key)
{
    return key->is_int && key->num > 0 && key->num <= UINT32_MAX ? (uint32_t)key->num : 0;
}

static bool is_array(const struct php_value *v)
{
    return v && php_type(v) == PHP_ARRAY;
}

static const struct php_value *field(const struct php_value *object, const char *name)
{
    const struct php_value *v = is_array(object) ? php_get(object, name) : NULL;
    return is_array(v) ? v : NULL;
}

static void add_names(struct receivers *t, const struct php_value *list)
{
    size_t pos = 0;
    struct php_key key;
    const struct php_value *v;
    struct span name;
    while (list && php_next(list, &pos, &key, &v))
        if (receivers_key_text(t->doc, v, &name))
            add_name(t, name);
}

/* Keys count, but a null does not exclude: isset() in the original. */
static void add_excluded(struct receivers *t, const struct php_value *list)
{
    size_t pos = 0;
    struct php_key key;
    const struct php_value *v;
    while (list && php_next(list, &pos, &key, &v))
        if (php_type(v) != PHP_NULL)
            add_id(t, receivers_id_of_key(&key));
}

static const struct php_value *read_json(struct receivers *t, struct span ext)
{
    begin(t);
    t->doc = php_doc_new();
    const struct php_value *v = php_read_json(t->doc, ext);
    return is_array(v) ? v : NULL;
}

void receivers_read_uids(struct receivers *t, struct span ext)
{
    begin(t);
    if (!scan_uids(t, ext))
        add_names(t, read_json(t, ext));
}

void receivers_read_groups(struct receivers *t, struct span ext)
{
    begin(t);
    if (scan_groups(t, ext))
        return;
    const struct php_value *v = read_json(t, ext);
    add_names(t, field(v, "group"));
    add_excluded(t, field(v, "exclude"));
}

void receivers_read_all(struct receivers *t, struct span ext)
{
    begin(t);
    if (scan_all(t, ext))
        return;
    const struct php_value *v = read_json(t, ext);
    const struct php_value *connections = v ? php_get(v, "connections") : NULL;
    if (!connections || php_type(connections) == PHP_NULL) {
        add_excluded(t, field(v, "exclude"));
        return;
    }
    t->has_connections = true;
    size_t pos = 0;
    struct php_key key;
    const struct php_value *id;
    struct span text;
    while (is_array(connections) && php_next(connections, &pos, &key, &id))
        if (receivers_key_text(t->doc, id, &text))
            add_id(t, receivers_id(text));
}
