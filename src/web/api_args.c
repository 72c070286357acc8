/* Everything is read and checked before anything is sent, so that a wrong call has done nothing. */
#include "web/api_args.h"

#include <stdio.h>
#include <string.h>

#include <gw/err.h>

#include "base/crypto.h"
#include "base/json.h"
#include "base/mem.h"
#include "proto/client_id.h"
#include "proto/http.h"

/* What is being read, for the readers of single fields. */
struct reader {
    struct api_args *args;
    const struct api_limits *limits;
    struct api_fault *fault;
    const char *name;
};

static PRINTF_LIKE(2, 3) int refuse(struct reader *r, const char *fmt, ...)
{
    char text[sizeof r->fault->message];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return api_fault_set(r->fault, 400, "bad_field", r->name, "%s", text);
}

/* ---- names ---- */

static void names_fini(struct api_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        mem_free(names->texts[i]);
    mem_free(names->at);
    mem_free(names->texts);
}

/* Integers are taken as PHP would write them: {"uid":42} is meant by many a caller. */
static int add_name(struct reader *r, struct api_names *names, const struct gw_json *v)
{
    char number[24];
    struct gw_bytes text = gw_json_as_strn(v);
    if (gw_json_type(v) == GW_JSON_INT) {
        snprintf(number, sizeof number, "%lld", (long long)gw_json_as_int(v, 0));
        text = gw_str(number);
    }
    if (!text.data)
        return refuse(r, "a string is wanted, or a list of strings");
    if (text.len < 1 || text.len > GW_NAME_MAX)
        return refuse(r, "a name has 1 to %d bytes", GW_NAME_MAX);
    char *copy = mem_strndup(text.data, text.len);
    names->at[names->n] = gw_bytes(copy, text.len);
    names->texts[names->n++] = copy;
    return 0;
}

static int read_names(struct reader *r, struct api_names *names, const struct gw_json *v)
{
    bool is_list = gw_json_type(v) == GW_JSON_ARRAY;
    size_t n = is_list ? gw_json_len(v) : 1;
    if (n == 0)
        return refuse(r, "the list is empty");
    if (n > r->limits->targets_n)
        return api_fault_set(r->fault, 400, "too_many", r->name,
                             "%zu names; one call takes %zu at most", n, r->limits->targets_n);
    names->at = mem_alloc(n * sizeof *names->at);
    names->texts = mem_alloc(n * sizeof *names->texts);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = add_name(r, names, is_list ? gw_json_at(v, i) : v);
    return rc;
}

static int read_ids(struct reader *r, struct api_names *names, const struct gw_json *v)
{
    int rc = read_names(r, names, v);
    for (size_t i = 0; rc == 0 && i < names->n; i++) {
        struct client_id id;
        if (client_id_parse(span_of(names->at[i].data, names->at[i].len), &id) < 0)
            rc = refuse(r, "a client id has %d hex digits", GW_CLIENT_ID_LEN);
    }
    return rc;
}

static int read_clients(struct reader *r, const struct gw_json *v)
{
    return read_ids(r, &r->args->clients, v);
}

static int read_exclude(struct reader *r, const struct gw_json *v)
{
    return read_ids(r, &r->args->exclude, v);
}

static int read_uids(struct reader *r, const struct gw_json *v)
{
    return read_names(r, &r->args->uids, v);
}

static int read_groups(struct reader *r, const struct gw_json *v)
{
    return read_names(r, &r->args->groups, v);
}

/* ---- switches ---- */

static int read_bool(struct reader *r, bool *out, const struct gw_json *v)
{
    if (gw_json_type(v) != GW_JSON_BOOL)
        return refuse(r, "true or false is wanted");
    *out = gw_json_as_bool(v, false);
    return 0;
}

static int read_all(struct reader *r, const struct gw_json *v)
{
    bool is_all = false;
    int rc = read_bool(r, &is_all, v);
    return rc == 0 && !is_all ? refuse(r, "only true makes sense") : rc;
}

static int read_raw(struct reader *r, const struct gw_json *v)
{
    return read_bool(r, &r->args->is_raw, v);
}

static int read_binary(struct reader *r, const struct gw_json *v)
{
    return read_bool(r, &r->args->is_binary, v);
}

static int read_at_once(struct reader *r, const struct gw_json *v)
{
    return read_bool(r, &r->args->is_at_once, v);
}

static int read_members(struct reader *r, const struct gw_json *v)
{
    const char *text = gw_json_as_str(v, "");
    r->args->wants_uids = strcmp(text, "uids") == 0;
    return r->args->wants_uids || strcmp(text, "clients") == 0
               ? 0
               : refuse(r, "clients or uids is wanted");
}

static int read_limit(struct reader *r, const struct gw_json *v)
{
    uint64_t n = 0;
    int64_t number = gw_json_as_int(v, 0);
    const char *digits = gw_json_as_str(v, NULL); /* from a query */
    bool is_number = digits ? span_to_u64(span_str(digits), &n) : number > 0;
    if (!digits && is_number)
        n = (uint64_t)number;
    if (!is_number || n == 0 || n > r->limits->results_n)
        return refuse(r, "a number from 1 to %zu is wanted", r->limits->results_n);
    r->args->limit = (size_t)n;
    return 0;
}

/* ---- contents ---- */

static int read_message(struct reader *r, const struct gw_json *v)
{
    struct gw_bytes text = gw_json_as_strn(v);
    if (!text.data)
        return refuse(r, "a string is wanted; other values go into \"json\"");
    buf_put(&r->args->message, text.data, text.len);
    return 0;
}

static int read_json(struct reader *r, const struct gw_json *v)
{
    return json_write(&r->args->message, v, GW_JSON_PLAIN) < 0 ? refuse(r, "too deep") : 0;
}

static int read_base64(struct reader *r, const struct gw_json *v)
{
    struct gw_bytes text = gw_json_as_strn(v);
    if (!text.data)
        return refuse(r, "a string is wanted");
    uint8_t *to = buf_reserve(&r->args->message, text.len + 1); /* capped with the body */
    ptrdiff_t n = crypto_unbase64(span_of(text.data, text.len), to, text.len + 1);
    if (n < 0)
        return refuse(r, "not base64 (RFC 4648, with padding)");
    buf_commit(&r->args->message, (size_t)n);
    return 0;
}

static int read_session(struct reader *r, const struct gw_json *v)
{
    if (gw_json_type(v) != GW_JSON_OBJECT)
        return refuse(r, "an object is wanted");
    if (json_write(&r->args->session, v, GW_JSON_PLAIN) < 0)
        return refuse(r, "too deep");
    buf_cstr(&r->args->session);
    return 0;
}

/* ---- the whole ---- */

static const struct {
    const char *name;
    unsigned field;
    int (*read)(struct reader *r, const struct gw_json *v);
} fields[] = {
    {"client", API_CLIENT, read_clients},
    {"uid", API_UID, read_uids},
    {"group", API_GROUP, read_groups},
    {"all", API_ALL, read_all},
    {"exclude", API_EXCLUDE, read_exclude},
    {"message", API_MESSAGE, read_message},
    {"json", API_JSON, read_json},
    {"base64", API_BASE64, read_base64},
    {"raw", API_RAW, read_raw},
    {"binary", API_BINARY, read_binary},
    {"at_once", API_AT_ONCE, read_at_once},
    {"set", API_SET, read_session},
    {"update", API_UPDATE, read_session},
    {"members", API_MEMBERS, read_members},
    {"limit", API_LIMIT, read_limit},
};

static int read_member(struct reader *r, const struct api_shape *shape, const struct gw_json *v)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i].name, r->name) != 0)
            continue;
        if (!(shape->takes & fields[i].field))
            break;
        r->args->given |= fields[i].field;
        return fields[i].read(r, v);
    }
    return api_fault_set(r->fault, 400, "unknown_field", r->name, "this call takes no such field");
}

/* "client, uid or group" of the set. */
static void list_fields(unsigned set, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (!(set & fields[i].field))
            continue;
        set &= ~fields[i].field;
        const char *between = len == 0 ? "" : set == 0 ? " or " : ", ";
        int n = snprintf(out + len, size - len, "%s%s", between, fields[i].name);
        len += (size_t)n < size - len ? (size_t)n : 0;
    }
}

static const char *name_of(unsigned set)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (set & fields[i].field)
            return fields[i].name;
    return NULL;
}

static bool is_several(unsigned set)
{
    return (set & (set - 1)) != 0;
}

/* The last of a set that excludes one another is named: it is the one to leave out. */
static int refuse_several(unsigned set, struct api_fault *fault)
{
    char names[64];
    list_fields(set, names, sizeof names);
    while (is_several(set))
        set &= set - 1;
    return api_fault_set(fault, 400, "bad_field", name_of(set), "give only one of %s", names);
}

static int judge_set(unsigned given, unsigned one_of, struct api_fault *fault)
{
    char names[64];
    if (one_of == 0 || (given & one_of)) {
        given &= one_of;
        return is_several(given) ? refuse_several(given, fault) : 0;
    }
    list_fields(one_of, names, sizeof names);
    return api_fault_set(fault, 400, "missing_field", name_of(one_of), "%s is missing", names);
}

static int judge(const struct api_args *a, const struct api_shape *shape, struct api_fault *fault)
{
    unsigned missing = shape->needs & ~a->given;
    if (missing)
        return api_fault_set(fault, 400, "missing_field", name_of(missing), "%s is missing",
                             name_of(missing));
    int rc = judge_set(a->given, shape->one_of, fault);
    if (rc == 0 && is_several(a->given & shape->at_most_one))
        rc = refuse_several(a->given & shape->at_most_one, fault);
    if (rc == 0 && is_several(a->given & API_ANY_MESSAGE))
        rc = refuse_several(a->given & API_ANY_MESSAGE, fault);
    if (rc == 0 && shape->is_single_uid && a->uids.n > 1)
        rc = api_fault_set(fault, 400, "bad_field", "uid", "a client has one uid");
    return rc;
}

int api_args_read(struct api_args *out, const struct gw_json *in, const struct api_shape *shape,
                  const struct api_limits *limits, struct api_fault *fault)
{
    struct reader r = {.args = out, .limits = limits, .fault = fault};
    const struct gw_json *value;
    void *it = NULL;
    int rc = 0;
    *out = (struct api_args){.limit = limits->results_n, .limits = limits};
    if (gw_json_type(in) != GW_JSON_OBJECT)
        return api_fault_set(fault, 400, "bad_json", NULL, "an object is wanted");
    while (rc == 0 && gw_json_next(in, &it, &r.name, &value))
        rc = read_member(&r, shape, value);
    return rc < 0 ? rc : judge(out, shape, fault);
}

void api_args_fini(struct api_args *a)
{
    names_fini(&a->clients);
    names_fini(&a->uids);
    names_fini(&a->groups);
    names_fini(&a->exclude);
    buf_fini(&a->message);
    buf_fini(&a->session);
}

/* ---- from a query ---- */

static bool decode(struct span raw, struct buf *out)
{
    buf_clear(out);
    return http_percent_decode(raw, true, out) && span_find(buf_span(out), '\0') < 0;
}

/* The first value of a name is a string; from the second on it is a list, which grows in place: a
 * head is full of values of one name if somebody likes, and the loop waits meanwhile. */
static int add_value(struct gw_json *out, const char *name, struct gw_bytes text)
{
    const struct gw_json *before = gw_json_get(out, name);
    if (!before)
        return gw_json_set_strn(out, name, text);
    if (gw_json_type(before) == GW_JSON_ARRAY)
        return gw_json_append((struct gw_json *)(uintptr_t)before, gw_json_from_strn(text));
    struct gw_json *list = gw_json_array();
    gw_json_append(list, gw_json_copy(before));
    int rc = gw_json_append(list, gw_json_from_strn(text));
    gw_json_set(out, name, list);
    return rc;
}

struct gw_json *api_args_of_query(struct span query, struct api_fault *fault)
{
    struct gw_json *out = gw_json_object();
    struct buf name = {0}, value = {0};
    int rc = 0;
    while (rc == 0 && query.len > 0) {
        struct span text = span_cut(&query, '&');
        struct span key = span_cut(&text, '=');
        if (key.len == 0 && text.len == 0)
            continue;
        if (!decode(key, &name) || !decode(text, &value) ||
            add_value(out, buf_cstr(&name),
                      gw_bytes(value.len > 0 ? (const char *)value.at : "", value.len)) < 0)
            rc = api_fault_set(fault, 400, "bad_query", NULL,
                               "the query is not percent-encoded UTF-8");
    }
    buf_fini(&name);
    buf_fini(&value);
    if (rc == 0)
        return out;
    gw_json_free(out);
    return NULL;
}
