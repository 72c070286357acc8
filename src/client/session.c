/* Session values: decoded on the first look, compared with what came when the callback is done. */
#include "client/session.h"

#include <math.h>

#include <gw/gateway.h>
#include <gw/json.h>

#include "base/log.h"
#include "base/mem.h"
#include "proto/php_float.h"

/* More than a gateway takes in one packet cannot be stored anyway. */
enum { VALUE_MAX = 4 * 1024 * 1024 };

void session_init(struct session_values *v, struct span raw, bool is_read_only)
{
    *v = (struct session_values){.raw = raw, .is_read_only = is_read_only};
    v->handle.values = v;
}

void session_fini(struct session_values *v)
{
    php_doc_free(v->doc);
    arena_fini(&v->texts);
    v->doc = NULL;
    v->map = NULL;
}

/* What is no serialized map (other software stored it) reads as an empty session. */
static struct php_value *decode(struct php_doc *doc, struct span raw)
{
    static _Thread_local struct log_rate rate; /* handles in other threads have theirs */
    int err = 0;

    if (raw.len == 0)
        return php_new_array(doc);
    struct php_value *map = php_read(doc, raw, &err);
    if (map && php_type(map) == PHP_ARRAY)
        return map;
    log_limited(&rate, LOG_WARN, "a session of %zu bytes is not a serialized map: taken as empty",
                raw.len);
    return php_new_array(doc);
}

static struct php_value *map_of(const struct gw_session *s)
{
    struct session_values *v = s->values;

    if (!v->map) {
        v->doc = php_doc_new();
        v->map = decode(v->doc, v->raw);
    }
    return v->map;
}

bool session_is_changed(struct session_values *v, struct buf *out)
{
    if (!v->is_touched)
        return false;
    struct php_doc *before = php_doc_new();
    const struct php_value *was = decode(before, v->raw);
    bool is_changed = !php_is_equal(was, v->map);
    php_doc_free(before);
    if (is_changed && php_len(v->map) > 0)
        php_write(v->map, out);
    return is_changed;
}

void session_write(struct session_values *v, struct buf *out)
{
    if (v->map)
        php_write(v->map, out);
    else
        buf_put_span(out, v->raw);
}

/* raw becomes the new state, and lives in the texts of the session. Changes that the callback made
 * before stay unwritten, as in the original, which replaces the old copy too. */
void session_replace(struct session_values *v, const struct php_value *map, bool is_merge)
{
    struct buf bytes = {0};
    int err = 0;

    (void)map_of(&v->handle);
    php_write(map, &bytes);
    struct php_value *own = php_read(v->doc, buf_span(&bytes), &err);
    if (own)
        v->map = is_merge ? php_merge(v->doc, v->map, own) : own;
    buf_clear(&bytes);
    php_write(v->map, &bytes);
    v->raw = span_of(arena_text(&v->texts, buf_span(&bytes)), bytes.len);
    v->is_touched = false;
    v->is_replaced = true;
    buf_fini(&bytes);
}

struct gw_session *session_new(struct span raw)
{
    struct session_values *v = mem_alloc(sizeof *v);

    session_init(v, raw, true);
    v->raw = span_of(arena_text(&v->texts, raw), raw.len);
    return &v->handle;
}

void gw_session_free(struct gw_session *s)
{
    if (!s)
        return;
    session_fini(s->values);
    mem_free(s->values);
}

/* ---- reading ---- */

static const struct php_value *value_of(const struct gw_session *s, const char *name)
{
    return s && name ? php_get(map_of(s), name) : NULL;
}

struct gw_bytes gw_session_bytes(const struct gw_session *s, const char *name)
{
    const struct php_value *v = value_of(s, name);
    struct buf text = {0};

    if (!v || php_type(v) == PHP_ARRAY || php_type(v) == PHP_NULL)
        return gw_bytes(NULL, 0);
    switch (php_type(v)) {
    case PHP_BOOL:
        buf_puts(&text, php_bool(v) ? "1" : "");
        break;
    case PHP_INT:
        buf_printf(&text, "%lld", (long long)php_int(v));
        break;
    case PHP_FLOAT:
        php_put_float(&text, php_float(v), 'E');
        break;
    default:
        buf_put_span(&text, php_string(v));
    }
    const char *copy = arena_text(&s->values->texts, buf_span(&text));
    struct gw_bytes out = gw_bytes(copy, text.len);
    buf_fini(&text);
    return out;
}

const char *gw_session_str(const struct gw_session *s, const char *name, const char *def)
{
    struct gw_bytes text = gw_session_bytes(s, name);

    return text.data ? text.data : def;
}

int64_t gw_session_int(const struct gw_session *s, const char *name, int64_t def)
{
    const struct php_value *v = value_of(s, name);

    if (!v)
        return def;
    switch (php_type(v)) {
    case PHP_BOOL:
        return php_bool(v);
    case PHP_INT:
        return php_int(v);
    case PHP_FLOAT:
        return fabs(php_float(v)) < 9.0e18 ? (int64_t)php_float(v) : def;
    case PHP_STRING: {
        struct php_key number = php_key_of(php_string(v));
        return number.is_int ? number.num : def;
    }
    default:
        return def;
    }
}

/* A text that is a number as JSON writes it; strtod() would read it as the locale says. */
static double number_of(struct span text, double def)
{
    struct php_doc *doc = php_doc_new();
    const struct php_value *v = php_read_json(doc, text);
    double number = def;

    if (v && php_type(v) == PHP_FLOAT)
        number = php_float(v);
    else if (v && php_type(v) == PHP_INT)
        number = (double)php_int(v);
    php_doc_free(doc);
    return number;
}

double gw_session_real(const struct gw_session *s, const char *name, double def)
{
    const struct php_value *v = value_of(s, name);

    if (v && php_type(v) == PHP_FLOAT)
        return php_float(v);
    if (!v || php_type(v) == PHP_ARRAY || php_type(v) == PHP_NULL)
        return def;
    if (php_type(v) == PHP_STRING)
        return number_of(php_string(v), def);
    return (double)gw_session_int(s, name, 0);
}

/* A value counts as PHP's if () counts it: "", "0", 0, null and empty arrays are false. */
bool gw_session_bool(const struct gw_session *s, const char *name, bool def)
{
    const struct php_value *v = value_of(s, name);

    if (!v)
        return def;
    switch (php_type(v)) {
    case PHP_BOOL:
        return php_bool(v);
    case PHP_INT:
        return php_int(v) != 0;
    case PHP_FLOAT:
        return fpclassify(php_float(v)) != FP_ZERO;
    case PHP_STRING:
        return php_string(v).len > 0 && !span_is(php_string(v), "0");
    case PHP_ARRAY:
        return php_len(v) > 0;
    default:
        return false;
    }
}

bool gw_session_has(const struct gw_session *s, const char *name)
{
    return value_of(s, name) != NULL;
}

size_t gw_session_len(const struct gw_session *s)
{
    return s ? php_len(map_of(s)) : 0;
}

char *gw_session_json(const struct gw_session *s, const char *name)
{
    const struct php_value *v = !s ? NULL : name ? value_of(s, name) : map_of(s);
    struct buf out = {0};
    char *text = NULL;

    if (!v)
        return NULL;
    if (!name && php_len(v) == 0) /* PHP would write a list: [] */
        text = mem_strdup("{}");
    else if (php_write_json(v, true, &out))
        text = mem_strndup(out.at, out.len);
    buf_fini(&out);
    return text;
}

/* ---- changing ---- */

/* 0 when `name` of s may be set to a value of len bytes; the session is decoded then. */
static int check_change(struct gw_session *s, const char *name, size_t len)
{
    if (!s || s->values->is_read_only)
        return GW_ECONTEXT;
    if (!name)
        return GW_EBADNAME;
    if (len > VALUE_MAX || strlen(name) > VALUE_MAX)
        return GW_ETOOBIG;
    (void)map_of(s);
    return 0;
}

static void put_value(struct gw_session *s, const char *name, struct php_value *value)
{
    struct session_values *v = s->values;

    php_set(v->doc, v->map, php_key_of(span_str(name)), value);
    v->is_touched = true;
}

int gw_session_set_bytes(struct gw_session *s, const char *name, struct gw_bytes value)
{
    int rc = check_change(s, name, value.len);

    if (rc == 0)
        put_value(s, name, php_new_string(s->values->doc, span_of(value.data, value.len)));
    return rc;
}

int gw_session_set_str(struct gw_session *s, const char *name, const char *value)
{
    return gw_session_set_bytes(s, name, gw_str(value));
}

int gw_session_set_int(struct gw_session *s, const char *name, int64_t value)
{
    int rc = check_change(s, name, 0);

    if (rc == 0)
        put_value(s, name, php_new_int(s->values->doc, value));
    return rc;
}

int gw_session_set_real(struct gw_session *s, const char *name, double value)
{
    int rc = check_change(s, name, 0);

    if (rc == 0)
        put_value(s, name, php_new_float(s->values->doc, value));
    return rc;
}

int gw_session_set_bool(struct gw_session *s, const char *name, bool value)
{
    int rc = check_change(s, name, 0);

    if (rc == 0)
        put_value(s, name, php_new_bool(s->values->doc, value));
    return rc;
}

int gw_session_set_json(struct gw_session *s, const char *name, const char *json)
{
    int rc = check_change(s, name, json ? strlen(json) : 0);

    if (rc < 0)
        return rc;
    if (!json)
        return GW_EPROTO;
    struct php_value *value = php_read_json(s->values->doc, span_str(json));
    if (!value)
        return GW_EPROTO;
    put_value(s, name, value);
    return 0;
}

int gw_session_unset(struct gw_session *s, const char *name)
{
    int rc = check_change(s, name, 0);

    if (rc == 0 && php_unset(s->values->map, php_key_of(span_str(name))))
        s->values->is_touched = true;
    return rc;
}

int gw_session_clear(struct gw_session *s)
{
    int rc = check_change(s, "", 0);

    if (rc < 0)
        return rc;
    s->values->map = php_new_array(s->values->doc);
    s->values->is_touched = true;
    return 0;
}
