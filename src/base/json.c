/* JSON trees over jansson, which does not show outside of the json files. */
#include <gw/json.h>

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"

/* A struct gw_json is a json_t under a name of ours. */
static json_t *of(struct gw_json *v)
{
    return (json_t *)(void *)v;
}

static struct gw_json *ours(json_t *v)
{
    return (struct gw_json *)(void *)v;
}

/* jansson's readers take a json_t that is not const, but only read. */
static json_t *read_of(const struct gw_json *v)
{
    return (json_t *)(uintptr_t)v;
}

void json_abort_without_memory(void)
{
    json_set_alloc_funcs(mem_alloc, mem_free);
}

void gw_free(void *at)
{
    mem_free(at);
}

/* Whether arrays and objects stay within depth_max of each other. jansson has only a limit of its
 * own (2048), too deep for the stack of a coroutine. Text that is not JSON may be judged wrongly
 * here, but then parsing fails as well. */
static bool is_shallow(struct gw_bytes text, unsigned depth_max)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > depth_max)
                return false;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return true;
}

struct gw_json *gw_json_parse_within(struct gw_bytes text, size_t bytes_max, unsigned depth_max,
                                     char *error, size_t error_bytes)
{
    json_error_t why;
    if (!error)
        error_bytes = 0;
    if (depth_max > GW_JSON_DEPTH_MAX)
        depth_max = GW_JSON_DEPTH_MAX;
    if (text.len > bytes_max) {
        snprintf(error, error_bytes, "%zu bytes, but the limit is %zu", text.len, bytes_max);
        return NULL;
    }
    /* jansson takes a NUL for the end of the text and would not look at what follows. */
    ptrdiff_t nul = span_find(span_of(text.data, text.len), '\0');
    if (nul >= 0) {
        snprintf(error, error_bytes, "a NUL (byte %td), which JSON writes as \\u0000", nul);
        return NULL;
    }
    if (!is_shallow(text, depth_max)) {
        snprintf(error, error_bytes, "nested deeper than %u", depth_max);
        return NULL;
    }
    json_t *v =
        json_loadb(text.len ? text.data : "", text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
    if (!v)
        snprintf(error, error_bytes, "line %d, column %d (byte %d): %s", why.line, why.column,
                 why.position, why.text);
    return ours(v);
}

struct gw_json *gw_json_parse(struct gw_bytes text, char *error, size_t error_bytes)
{
    return gw_json_parse_within(text, GW_JSON_BYTES_MAX, GW_JSON_DEPTH_MAX, error, error_bytes);
}

void gw_json_free(struct gw_json *v)
{
    json_decref(of(v));
}

struct gw_json *gw_json_copy(const struct gw_json *v)
{
    return ours(json_deep_copy(read_of(v)));
}

enum gw_json_type gw_json_type(const struct gw_json *v)
{
    if (!v)
        return GW_JSON_ABSENT;
    switch (json_typeof(read_of(v))) {
    case JSON_OBJECT:
        return GW_JSON_OBJECT;
    case JSON_ARRAY:
        return GW_JSON_ARRAY;
    case JSON_STRING:
        return GW_JSON_STR;
    case JSON_INTEGER:
        return GW_JSON_INT;
    case JSON_REAL:
        return GW_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return GW_JSON_BOOL;
    case JSON_NULL:
        break;
    }
    return GW_JSON_NULL;
}

const struct gw_json *gw_json_get(const struct gw_json *object, const char *name)
{
    return name ? ours(json_object_get(read_of(object), name)) : NULL;
}

const char *gw_json_str(const struct gw_json *object, const char *name, const char *def)
{
    return gw_json_as_str(gw_json_get(object, name), def);
}

struct gw_bytes gw_json_strn(const struct gw_json *object, const char *name)
{
    return gw_json_as_strn(gw_json_get(object, name));
}

int64_t gw_json_int(const struct gw_json *object, const char *name, int64_t def)
{
    return gw_json_as_int(gw_json_get(object, name), def);
}

double gw_json_real(const struct gw_json *object, const char *name, double def)
{
    return gw_json_as_real(gw_json_get(object, name), def);
}

bool gw_json_bool(const struct gw_json *object, const char *name, bool def)
{
    return gw_json_as_bool(gw_json_get(object, name), def);
}

const char *gw_json_as_str(const struct gw_json *v, const char *def)
{
    const char *text = json_string_value(read_of(v));
    return text ? text : def;
}

struct gw_bytes gw_json_as_strn(const struct gw_json *v)
{
    return gw_bytes(json_string_value(read_of(v)), json_string_length(read_of(v)));
}

int64_t gw_json_as_int(const struct gw_json *v, int64_t def)
{
    if (gw_json_type(v) == GW_JSON_INT)
        return json_integer_value(read_of(v));
    if (gw_json_type(v) != GW_JSON_REAL)
        return def;
    double real = json_real_value(read_of(v));
    /* -2^63 is a double, 2^63 - 1 is not: the upper bound is exclusive. */
    if (!(real >= -0x1p63 && real < 0x1p63))
        return def;
    int64_t whole = (int64_t)real;
    return (double)whole < real || (double)whole > real ? def : whole;
}

double gw_json_as_real(const struct gw_json *v, double def)
{
    return json_is_number(read_of(v)) ? json_number_value(read_of(v)) : def;
}

bool gw_json_as_bool(const struct gw_json *v, bool def)
{
    return json_is_boolean(read_of(v)) ? json_is_true(read_of(v)) : def;
}

size_t gw_json_len(const struct gw_json *v)
{
    return gw_json_type(v) == GW_JSON_OBJECT ? json_object_size(read_of(v))
                                             : json_array_size(read_of(v));
}

const struct gw_json *gw_json_at(const struct gw_json *array, size_t pos)
{
    return ours(json_array_get(read_of(array), pos));
}

bool gw_json_next(const struct gw_json *object, void **it, const char **name,
                  const struct gw_json **value)
{
    *it = *it ? json_object_iter_next(read_of(object), *it) : json_object_iter(read_of(object));
    if (!*it)
        return false;
    if (name)
        *name = json_object_iter_key(*it);
    if (value)
        *value = ours(json_object_iter_value(*it));
    return true;
}

struct gw_json *gw_json_object(void)
{
    return ours(json_object());
}

struct gw_json *gw_json_array(void)
{
    return ours(json_array());
}

struct gw_json *gw_json_from_str(const char *text)
{
    return text ? gw_json_from_strn(gw_str(text)) : NULL;
}

/* Of text that is known to be UTF-8; jansson's own check is slow. */
static struct gw_json *new_str(struct gw_bytes text)
{
    return ours(json_stringn_nocheck(text.len ? text.data : "", text.len));
}

struct gw_json *gw_json_from_strn(struct gw_bytes text)
{
    return utf8_is_valid(span_of(text.data, text.len)) ? new_str(text) : NULL;
}

struct gw_json *gw_json_from_int(int64_t v)
{
    return ours(json_integer(v));
}

struct gw_json *gw_json_from_real(double v)
{
    return ours(json_real(v));
}

struct gw_json *gw_json_from_bool(bool v)
{
    return ours(json_boolean(v));
}

struct gw_json *gw_json_from_null(void)
{
    return ours(json_null());
}

int gw_json_set(struct gw_json *object, const char *name, struct gw_json *value)
{
    if (!name || !utf8_is_valid(span_str(name))) {
        json_decref(of(value));
        return name ? GW_EUTF8 : -EINVAL;
    }
    return json_object_set_new_nocheck(of(object), name, of(value)) == 0 ? 0 : -EINVAL;
}

int gw_json_set_str(struct gw_json *object, const char *name, const char *text)
{
    return text ? gw_json_set_strn(object, name, gw_str(text)) : -EINVAL;
}

int gw_json_set_strn(struct gw_json *object, const char *name, struct gw_bytes text)
{
    if (!utf8_is_valid(span_of(text.data, text.len)))
        return GW_EUTF8;
    return gw_json_set(object, name, new_str(text));
}

int gw_json_set_int(struct gw_json *object, const char *name, int64_t v)
{
    return gw_json_set(object, name, gw_json_from_int(v));
}

int gw_json_set_real(struct gw_json *object, const char *name, double v)
{
    return gw_json_set(object, name, gw_json_from_real(v));
}

int gw_json_set_bool(struct gw_json *object, const char *name, bool v)
{
    return gw_json_set(object, name, gw_json_from_bool(v));
}

int gw_json_set_null(struct gw_json *object, const char *name)
{
    return gw_json_set(object, name, gw_json_from_null());
}

int gw_json_unset(struct gw_json *object, const char *name)
{
    return name && json_object_del(of(object), name) == 0 ? 0 : GW_ENOTFOUND;
}

int gw_json_append(struct gw_json *array, struct gw_json *value)
{
    return json_array_append_new(of(array), of(value)) == 0 ? 0 : -EINVAL;
}
