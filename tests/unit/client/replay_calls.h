/* The calls of GatewayClient in C: arguments out of a recording, results as PHP serializes them. */
#ifndef TESTS_CLIENT_REPLAY_CALLS_H
#define TESTS_CLIENT_REPLAY_CALLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <gw/gateway.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "client/session.h"
#include "proto/phpser.h"

/* ---- arguments ---- */

static const char *text_arg(const json_t *args, size_t pos)
{
    return json_string_value(json_array_get(args, pos));
}

/* With its length: a recorded uid has a NUL in it. */
static struct gw_bytes name_of(const json_t *text)
{
    return gw_bytes(json_string_value(text), json_string_length(text));
}

static struct gw_bytes name_arg(const json_t *args, size_t pos)
{
    return name_of(json_array_get(args, pos));
}

/* One text or a list of texts; false when anything else is in it, which C cannot say. */
static bool list_arg(const json_t *v, const char *out[16], size_t *n)
{
    size_t i;
    json_t *item;

    *n = 0;
    if (json_is_string(v)) {
        out[(*n)++] = json_string_value(v);
        return true;
    }
    if (!json_is_array(v))
        return v == NULL || json_is_null(v);
    json_array_foreach(v, i, item)
    {
        if (!json_is_string(item) || *n == 16)
            return false;
        out[(*n)++] = json_string_value(item);
    }
    return true;
}

static bool names_arg(const json_t *v, struct gw_bytes out[16], size_t *n)
{
    const char *texts[16];

    if (!list_arg(v, texts, n))
        return false;
    for (size_t i = 0; i < *n; i++)
        out[i] = gw_str(texts[i]);
    return *n > 0;
}

/* ---- results, as PHP would serialize them ---- */

static void put_ids(struct buf *out, const struct gw_client_list *l, bool is_keyed)
{
    php_put_array(out, l->n);
    for (size_t i = 0; i < l->n; i++) {
        if (is_keyed)
            php_put_key(out, span_str(l->clients[i].id));
        else
            php_put_int(out, (int64_t)i);
        php_put_string(out, span_str(l->clients[i].id));
    }
    php_put_array_end(out);
    gw_result_free(l);
}

static void put_sessions(struct buf *out, const struct gw_client_list *l)
{
    php_put_array(out, l->n);
    for (size_t i = 0; i < l->n; i++) {
        struct buf raw = {0};
        php_put_key(out, span_str(l->clients[i].id));
        session_write(l->clients[i].session->values, &raw);
        if (span_is(buf_span(&raw), "not serialized")) /* PHP makes false of it, ours is empty */
            buf_puts(out, "b:0;");
        else
            buf_put_span(out, raw.len > 0 ? buf_span(&raw) : span_str("a:0:{}"));
        buf_fini(&raw);
    }
    php_put_array_end(out);
    gw_result_free(l);
}

/* Group ids are numbers where PHP makes keys of them, uids stay text (vectors/README.md, Traps). */
static void put_names(struct buf *out, const struct gw_name_list *l, bool is_text)
{
    php_put_array(out, l->n);
    for (size_t i = 0; i < l->n; i++) {
        struct span name = span_of(l->names[i].data, l->names[i].len);
        php_put_key(out, name);
        if (is_text)
            php_put_string(out, name);
        else
            php_put_key(out, name);
    }
    php_put_array_end(out);
    gw_result_free(l);
}

static void put_name_clients(struct buf *out, const struct gw_name_clients_list *l)
{
    php_put_array(out, l->n);
    for (size_t i = 0; i < l->n; i++) {
        php_put_key(out, span_of(l->at[i].name.data, l->at[i].name.len));
        php_put_array(out, l->at[i].n);
        for (size_t k = 0; k < l->at[i].n; k++) {
            php_put_int(out, (int64_t)k);
            php_put_string(out, span_str(l->at[i].client_ids[k]));
        }
        php_put_array_end(out);
    }
    php_put_array_end(out);
    gw_result_free(l);
}

static void put_name_counts(struct buf *out, const struct gw_name_count_list *l)
{
    php_put_array(out, l->n);
    for (size_t i = 0; i < l->n; i++) {
        php_put_key(out, span_of(l->at[i].name.data, l->at[i].name.len));
        php_put_int(out, (int64_t)l->at[i].count);
    }
    php_put_array_end(out);
    gw_result_free(l);
}

/* ---- the calls ---- */

enum outcome {
    SKIPPED,  /* C cannot say it, or says it in another way on purpose */
    SENT,     /* only the request can be compared */
    RETURNED, /* `out` holds what PHP would have returned */
};

typedef enum outcome call_fn(struct gw *gw, const json_t *args, struct buf *out);

#define ASK_CLIENTS(call, is_keyed)                                                                \
    const struct gw_client_list *list = NULL;                                                      \
    assert_int_equal(call, 0);                                                                     \
    put_ids(out, list, is_keyed);                                                                  \
    return RETURNED

static enum outcome put_count(struct buf *out, int64_t count)
{
    assert_true(count >= 0);
    php_put_int(out, count);
    return RETURNED;
}

static enum outcome all_sessions(struct gw *gw, const json_t *args, struct buf *out)
{
    const struct gw_client_list *list = NULL;
    struct gw_bytes group = name_arg(args, 0);
    int rc = group.len > 0 ? gw_get_client_sessions_by_group(gw, group, &list)
                           : gw_get_all_client_sessions(gw, &list);

    assert_int_equal(rc, 0);
    put_sessions(out, list);
    return RETURNED;
}

static enum outcome group_sessions(struct gw *gw, const json_t *args, struct buf *out)
{
    return name_arg(args, 0).len > 0 ? all_sessions(gw, args, out) : SKIPPED;
}

static enum outcome all_count(struct gw *gw, const json_t *args, struct buf *out)
{
    return put_count(out, gw_get_all_client_count(gw));
}

static enum outcome group_count(struct gw *gw, const json_t *args, struct buf *out)
{
    struct gw_bytes group = name_arg(args, 0);

    return put_count(out, group.len > 0 ? gw_get_client_count_by_group(gw, group)
                                        : gw_get_all_client_count(gw));
}

static enum outcome all_ids(struct gw *gw, const json_t *args, struct buf *out)
{
    ASK_CLIENTS(gw_get_all_client_ids(gw, &list), true);
}

static enum outcome group_ids(struct gw *gw, const json_t *args, struct buf *out)
{
    if (!name_arg(args, 0).data)
        return SKIPPED;
    ASK_CLIENTS(gw_get_client_ids_by_group(gw, name_arg(args, 0), &list), true);
}

static enum outcome uid_ids(struct gw *gw, const json_t *args, struct buf *out)
{
    if (name_arg(args, 0).len == 0)
        return SKIPPED;
    ASK_CLIENTS(gw_get_client_ids_by_uid(gw, name_arg(args, 0), &list), false);
}

static enum outcome uid_online(struct gw *gw, const json_t *args, struct buf *out)
{
    if (name_arg(args, 0).len == 0)
        return SKIPPED;
    return put_count(out, gw_is_uid_online(gw, name_arg(args, 0)));
}

static enum outcome batch_uids(struct gw *gw, const json_t *args, struct buf *out)
{
    const struct gw_name_clients_list *list = NULL;
    struct gw_bytes names[16];
    size_t n;

    if (!names_arg(json_array_get(args, 0), names, &n))
        return SKIPPED;
    int rc = gw_get_client_ids_by_uids(gw, names, n, &list);
    if (rc == GW_EBADNAME)
        return SKIPPED; /* an empty name among them */
    assert_int_equal(rc, 0);
    put_name_clients(out, list);
    return RETURNED;
}

static enum outcome batch_groups(struct gw *gw, const json_t *args, struct buf *out)
{
    const struct gw_name_count_list *list = NULL;
    struct gw_bytes names[16];
    size_t n;

    if (!names_arg(json_array_get(args, 0), names, &n))
        return SKIPPED;
    assert_int_equal(gw_get_client_counts_by_groups(gw, names, n, &list), 0);
    put_name_counts(out, list);
    return RETURNED;
}

static enum outcome all_uids(struct gw *gw, const json_t *args, struct buf *out)
{
    const struct gw_name_list *list = NULL;

    assert_int_equal(gw_get_all_uids(gw, &list), 0);
    put_names(out, list, true);
    return RETURNED;
}

static enum outcome uid_count(struct gw *gw, const json_t *args, struct buf *out)
{
    return put_count(out, gw_get_all_uid_count(gw));
}

static enum outcome group_uids(struct gw *gw, const json_t *args, struct buf *out)
{
    const struct gw_name_list *list = NULL;

    if (name_arg(args, 0).len == 0)
        return SKIPPED;
    assert_int_equal(gw_get_uids_by_group(gw, name_arg(args, 0), &list), 0);
    put_names(out, list, true);
    return RETURNED;
}

static enum outcome group_uid_count(struct gw *gw, const json_t *args, struct buf *out)
{
    if (name_arg(args, 0).len == 0)
        return SKIPPED;
    return put_count(out, gw_get_uid_count_by_group(gw, name_arg(args, 0)));
}

static enum outcome all_groups(struct gw *gw, const json_t *args, struct buf *out)
{
    const struct gw_name_list *list = NULL;

    assert_int_equal(gw_get_all_groups(gw, &list), 0);
    put_names(out, list, false);
    return RETURNED;
}

/* The original stops at the first client without groups; ours goes on, so that only the request is
 * the same (test_groups_of_all_clients has the answer). */
static enum outcome group_clients(struct gw *gw, const json_t *args, struct buf *out)
{
    const struct gw_name_clients_list *list = NULL;

    assert_int_equal(gw_get_all_group_client_ids(gw, &list), 0);
    gw_result_free(list);
    return SENT;
}

static enum outcome group_client_counts(struct gw *gw, const json_t *args, struct buf *out)
{
    const struct gw_name_count_list *list = NULL;

    assert_int_equal(gw_get_all_group_client_counts(gw, &list), 0);
    gw_result_free(list);
    return SENT;
}

static enum outcome is_online(struct gw *gw, const json_t *args, struct buf *out)
{
    int rc = gw_is_online(gw, text_arg(args, 0));

    return rc == GW_EBADID ? SENT : put_count(out, rc);
}

static enum outcome get_session(struct gw *gw, const json_t *args, struct buf *out)
{
    int rc = -1;
    struct gw_session *session = gw_get_session(gw, text_arg(args, 0), &rc);

    assert_int_equal(rc, 0);
    if (session)
        session_write(session->values, out);
    else
        php_put_null(out);
    gw_session_free(session);
    return RETURNED;
}

static enum outcome uid_of_client(struct gw *gw, const json_t *args, struct buf *out)
{
    int rc = -1;
    char *uid = gw_get_uid_by_client(gw, text_arg(args, 0), &rc);

    assert_int_equal(rc, 0);
    if (uid)
        php_put_string(out, span_str(uid));
    else
        php_put_null(out);
    gw_free(uid);
    return RETURNED;
}

static enum outcome send_client(struct gw *gw, const json_t *args, struct buf *out)
{
    if (!name_arg(args, 1).data)
        return SKIPPED;
    int rc = gw_send_to_client(gw, text_arg(args, 0), name_arg(args, 1));
    assert_int_equal(rc, strlen(text_arg(args, 0)) == 20 ? 0 : GW_EBADID);
    return SENT;
}

static enum outcome send_all(struct gw *gw, const json_t *args, struct buf *out)
{
    struct gw_send how = {0};
    const char *only[16];
    const char *except[16];

    if (!name_arg(args, 0).data || !list_arg(json_array_get(args, 1), only, &how.only_n) ||
        !list_arg(json_array_get(args, 2), except, &how.exclude_n))
        return SKIPPED;
    if (json_is_array(json_array_get(args, 1)) || how.only_n > 0)
        how.only_ids = only; /* an empty list is nobody, no list is everybody */
    how.exclude_ids = except;
    how.is_raw = json_is_true(json_array_get(args, 3));
    assert_int_equal(gw_send_to_all(gw, name_arg(args, 0), &how), 0);
    return SENT;
}

static enum outcome send_uid(struct gw *gw, const json_t *args, struct buf *out)
{
    struct gw_bytes names[16];
    size_t n;

    if (!name_arg(args, 1).data || !names_arg(json_array_get(args, 0), names, &n))
        return SKIPPED;
    struct gw_send how = {.is_raw = json_is_true(json_array_get(args, 2))};
    assert_int_equal(gw_send_to_uids(gw, names, n, name_arg(args, 1), &how), 0);
    return SENT;
}

static enum outcome send_group(struct gw *gw, const json_t *args, struct buf *out)
{
    struct gw_bytes names[16];
    const char *except[16];
    struct gw_send how = {.exclude_ids = except};
    size_t n;

    if (!name_arg(args, 1).data || !names_arg(json_array_get(args, 0), names, &n) ||
        !list_arg(json_array_get(args, 2), except, &how.exclude_n))
        return SKIPPED;
    how.is_raw = json_is_true(json_array_get(args, 3));
    int rc = gw_send_to_groups(gw, names, n, name_arg(args, 1), &how);
    assert_int_equal(rc, names[0].len > 0 ? 0 : GW_EBADNAME);
    return SENT;
}

static enum outcome close_client(struct gw *gw, const json_t *args, struct buf *out)
{
    const json_t *message = json_array_get(args, 1);

    if (message && !json_is_string(message) && !json_is_null(message))
        return SKIPPED;
    (void)gw_close_client(gw, text_arg(args, 0), name_arg(args, 1));
    return SENT;
}

static enum outcome destroy_client(struct gw *gw, const json_t *args, struct buf *out)
{
    (void)gw_destroy_client(gw, text_arg(args, 0));
    return SENT;
}

/* "0" is a name like any other here; PHP sends it as "". */
static bool is_sayable(struct gw_bytes name)
{
    return name.len > 0 && !(name.len == 1 && name.data[0] == '0');
}

static enum outcome bind_uid(struct gw *gw, const json_t *args, struct buf *out)
{
    if (!is_sayable(name_arg(args, 1)))
        return SKIPPED;
    assert_int_equal(gw_bind_uid(gw, text_arg(args, 0), name_arg(args, 1)), 0);
    return SENT;
}

static enum outcome join_group(struct gw *gw, const json_t *args, struct buf *out)
{
    if (!is_sayable(name_arg(args, 1)))
        return SKIPPED;
    assert_int_equal(gw_join_group(gw, text_arg(args, 0), name_arg(args, 1)), 0);
    return SENT;
}

static enum outcome leave_group(struct gw *gw, const json_t *args, struct buf *out)
{
    if (!is_sayable(name_arg(args, 1)))
        return SKIPPED;
    assert_int_equal(gw_leave_group(gw, text_arg(args, 0), name_arg(args, 1)), 0);
    return SENT;
}

static enum outcome ungroup(struct gw *gw, const json_t *args, struct buf *out)
{
    if (!is_sayable(name_arg(args, 0)))
        return SKIPPED;
    assert_int_equal(gw_ungroup(gw, name_arg(args, 0)), 0);
    return SENT;
}

/* Only maps of texts and numbers come through JSON unharmed. */
static enum outcome send_session(struct gw *gw, const json_t *args, bool is_update)
{
    const json_t *session = json_array_get(args, 1);
    const char *key;
    json_t *value;

    if (!json_is_object(session) || json_object_size(session) == 0)
        return SKIPPED;
    json_object_foreach((json_t *)(uintptr_t)session, key,
                        value) if (!json_is_string(value) &&
                                   !json_is_integer(value)) return SKIPPED;
    char *text = json_dumps(session, JSON_COMPACT);
    int rc = is_update ? gw_update_session(gw, text_arg(args, 0), text)
                       : gw_set_session(gw, text_arg(args, 0), text);
    free(text);
    assert_int_equal(rc, 0);
    return SENT;
}

static enum outcome set_session(struct gw *gw, const json_t *args, struct buf *out)
{
    return send_session(gw, args, false);
}

static enum outcome update_session(struct gw *gw, const json_t *args, struct buf *out)
{
    return send_session(gw, args, true);
}

static const struct {
    const char *method;
    call_fn *call;
} calls[] = {
    {"getAllClientSessions", all_sessions},
    {"getClientSessionsByGroup", group_sessions},
    {"getAllClientIdCount", all_count},
    {"getAllClientCount", all_count},
    {"getClientIdCountByGroup", group_count},
    {"getClientCountByGroup", group_count},
    {"getAllClientIdList", all_ids},
    {"getClientIdListByGroup", group_ids},
    {"getClientIdByUid", uid_ids},
    {"isUidOnline", uid_online},
    {"batchGetClientIdByUid", batch_uids},
    {"batchGetClientIdCountByGroup", batch_groups},
    {"getAllUidList", all_uids},
    {"getAllUidCount", uid_count},
    {"getUidListByGroup", group_uids},
    {"getUidCountByGroup", group_uid_count},
    {"getAllGroupIdList", all_groups},
    {"getAllGroupClientIdList", group_clients},
    {"getAllGroupClientIdCount", group_client_counts},
    {"isOnline", is_online},
    {"getSession", get_session},
    {"getUidByClientId", uid_of_client},
    {"sendToClient", send_client},
    {"sendToAll", send_all},
    {"sendToUid", send_uid},
    {"sendToGroup", send_group},
    {"closeClient", close_client},
    {"destoryClient", destroy_client},
    {"bindUid", bind_uid},
    {"joinGroup", join_group},
    {"leaveGroup", leave_group},
    {"ungroup", ungroup},
    {"setSession", set_session},
    {"updateSession", update_session},
};

static call_fn *find_call(const char *method)
{
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        if (strcmp(calls[i].method, method) == 0)
            return calls[i].call;
    return NULL;
}

#endif
