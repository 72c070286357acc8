/* The asking half of <gw/gateway.h>: one query, its answers gathered, typed. All may wait. */
#include <gw/gateway.h>

#include "base/mem.h"
#include "client/command.h"
#include "client/io.h"
#include "client/reply.h"
#include "client/session.h"

/* ---- one client ---- */

/* Asks the gateway of that client. GW_ENOTFOUND: it is not one of ours, or gone. */
static int ask_client(struct gw *gw, const char *client_id, struct wire_packet *p, struct fanout *f)
{
    struct client_id id;

    *f = (struct fanout){0};
    if (!client_id || client_id_parse(span_str(client_id), &id) < 0)
        return GW_EBADID;
    p->connection_id = id.connection_id;
    return fanout_ask_one(gw, gateway_of(id), p, f);
}

/* The same by CMD_SELECT, whose head names no client: the condition does. */
static int select_client(struct gw *gw, const char *client_id, const char *fields, struct fanout *f)
{
    struct wire_packet p = command_of(CMD_SELECT);
    struct client_id id;

    *f = (struct fanout){0};
    if (!client_id || client_id_parse(span_str(client_id), &id) < 0)
        return GW_EBADID;
    command_select_client(&gw->ext, fields, id.connection_id);
    p.ext = buf_span(&gw->ext);
    int rc = fanout_ask_one(gw, gateway_of(id), &p, f);
    if (rc == 0 && php_type(f->targets[0].value) != PHP_ARRAY) {
        fanout_refuse(&f->targets[0]);
        rc = GW_EPROTO;
    }
    return rc;
}

int gw_is_online(struct gw *gw, const char *client_id)
{
    struct wire_packet p = command_of(CMD_IS_ONLINE);
    struct fanout f;
    int rc = ask_client(gw, client_id, &p, &f);

    if (rc == 0)
        rc = php_type(f.targets[0].value) == PHP_INT ? php_int(f.targets[0].value) != 0 : GW_EPROTO;
    fanout_fini(&f);
    return rc == GW_ENOTFOUND ? 0 : rc;
}

struct gw_session *gw_get_session(struct gw *gw, const char *client_id, int *rc)
{
    struct wire_packet p = command_of(CMD_GET_SESSION_BY_CLIENT_ID);
    struct gw_session *session = NULL;
    struct fanout f;
    int ask_rc = ask_client(gw, client_id, &p, &f);

    if (ask_rc == 0 && php_type(f.targets[0].value) == PHP_ARRAY) {
        struct buf raw = {0};
        php_write(f.targets[0].value, &raw);
        session = session_new(buf_span(&raw));
        buf_fini(&raw);
    } else if (ask_rc == 0 && php_type(f.targets[0].value) != PHP_NULL)
        ask_rc = GW_EPROTO;
    fanout_fini(&f);
    if (rc)
        *rc = ask_rc == GW_ENOTFOUND ? 0 : ask_rc;
    return session;
}

char *gw_get_uid_by_client(struct gw *gw, const char *client_id, int *rc)
{
    struct fanout f;
    char *uid = NULL;
    int ask_rc = select_client(gw, client_id, "\"uid\"", &f);
    size_t pos = 0;
    struct php_key key;
    const struct php_value *item;

    if (ask_rc == 0 && php_next(f.targets[0].value, &pos, &key, &item)) {
        const struct php_value *v = php_type(item) == PHP_ARRAY ? php_get(item, "uid") : NULL;
        if (v && php_type(v) == PHP_STRING)
            uid = mem_strndup(php_string(v).at, php_string(v).len);
    }
    fanout_fini(&f);
    if (rc)
        *rc = ask_rc == GW_ENOTFOUND ? 0 : ask_rc;
    return uid;
}

int gw_get_groups_by_client(struct gw *gw, const char *client_id, const struct gw_name_list **out)
{
    struct fanout f;
    int rc = select_client(gw, client_id, "\"groups\"", &f);

    *out = NULL;
    if (rc == 0 || rc == GW_ENOTFOUND) {
        *out = reply_client_groups(&f);
        rc = 0;
    }
    fanout_fini(&f);
    return rc;
}

/* ---- counts ---- */

static int64_t sum_of(struct gw *gw, const struct reach *reach, struct wire_packet *p)
{
    struct fanout f;
    int64_t sum = 0;
    int rc = fanout_ask_about(gw, reach, p, PHP_INT, &f);

    for (size_t i = 0; i < f.n; i++)
        if (f.targets[i].value)
            sum += php_int(f.targets[i].value);
    fanout_fini(&f);
    return rc < 0 ? rc : sum;
}

int64_t gw_get_all_client_count(struct gw *gw)
{
    struct wire_packet p = command_of(CMD_GET_CLIENT_COUNT_BY_GROUP);

    return sum_of(gw, NULL, &p);
}

static struct reach reach_of(enum interest_kind kind, const struct gw_bytes *name)
{
    return (struct reach){.kind = kind, .names = name, .n = 1};
}

int64_t gw_get_client_count_by_group(struct gw *gw, struct gw_bytes group)
{
    struct reach reach = reach_of(INTEREST_GROUPS, &group);
    struct wire_packet p = command_of(CMD_GET_CLIENT_COUNT_BY_GROUP);
    int rc = command_check_name(group);

    p.ext = span_of(group.data, group.len);
    return rc < 0 ? rc : sum_of(gw, &reach, &p);
}

static int64_t count_and_free(int rc, const struct gw_name_list *names)
{
    int64_t n = rc < 0 ? rc : (int64_t)names->n;

    gw_result_free(names);
    return n;
}

int64_t gw_get_uid_count_by_group(struct gw *gw, struct gw_bytes group)
{
    const struct gw_name_list *uids;
    int rc = gw_get_uids_by_group(gw, group, &uids);

    return count_and_free(rc, uids);
}

int64_t gw_get_all_uid_count(struct gw *gw)
{
    const struct gw_name_list *uids;
    int rc = gw_get_all_uids(gw, &uids);

    return count_and_free(rc, uids);
}

/* ---- lists ---- */

static bool is_listable(int rc)
{
    return rc == 0 || rc == GW_EPARTIAL;
}

/* What every list call ends with. Reading the answers may have found that the last usable one is
 * none: then there is no list either, and NULL is returned. */
static const void *finish(int *rc, struct fanout *f, const void *list)
{
    if (f->n > 0)
        *rc = fanout_rc(f);
    fanout_fini(f);
    if (is_listable(*rc))
        return list;
    gw_result_free(list);
    return NULL;
}

static int ask_clients(struct gw *gw, const struct reach *reach, struct wire_packet *p,
                       bool is_listed, const struct gw_client_list **out)
{
    struct fanout f;
    int rc = fanout_ask_about(gw, reach, p, PHP_ARRAY, &f);

    *out = is_listable(rc) ? reply_client_ids(&f, is_listed) : NULL;
    *out = finish(&rc, &f, *out);
    return rc;
}

static int ask_sessions(struct gw *gw, const struct reach *reach, struct wire_packet *p,
                        const struct gw_client_list **out)
{
    struct fanout f;
    struct buf raw = {0};
    const char *current = NULL;
    int rc = fanout_ask_about(gw, reach, p, PHP_ARRAY, &f);

    if (gw->io->current_client)
        current = gw->io->current_client(gw, &raw);
    *out = is_listable(rc) ? reply_sessions(&f, current, buf_span(&raw)) : NULL;
    buf_fini(&raw);
    *out = finish(&rc, &f, *out);
    return rc;
}

int gw_get_all_client_sessions(struct gw *gw, const struct gw_client_list **out)
{
    struct wire_packet p = command_of(CMD_GET_ALL_CLIENT_SESSIONS);

    return ask_sessions(gw, NULL, &p, out);
}

int gw_get_client_sessions_by_group(struct gw *gw, struct gw_bytes group,
                                    const struct gw_client_list **out)
{
    struct wire_packet p = command_of(CMD_GET_CLIENT_SESSIONS_BY_GROUP);
    struct reach reach = reach_of(INTEREST_GROUPS, &group);
    int rc = command_check_name(group);

    *out = NULL;
    p.ext = span_of(group.data, group.len);
    return rc < 0 ? rc : ask_sessions(gw, &reach, &p, out);
}

int gw_get_all_client_ids(struct gw *gw, const struct gw_client_list **out)
{
    struct wire_packet p = command_of(CMD_SELECT);

    command_select(&gw->ext, "\"uid\"");
    p.ext = buf_span(&gw->ext);
    return ask_clients(gw, NULL, &p, false, out);
}

int gw_get_client_ids_by_group(struct gw *gw, struct gw_bytes group,
                               const struct gw_client_list **out)
{
    struct wire_packet p = command_of(CMD_SELECT);
    struct reach reach = reach_of(INTEREST_GROUPS, &group);
    int rc = command_select_group(&gw->ext, "\"uid\"", group);

    *out = NULL;
    p.ext = buf_span(&gw->ext);
    return rc < 0 ? rc : ask_clients(gw, &reach, &p, false, out);
}

int gw_get_client_ids_by_uid(struct gw *gw, struct gw_bytes uid, const struct gw_client_list **out)
{
    struct wire_packet p = command_of(CMD_GET_CLIENT_ID_BY_UID);
    struct reach reach = reach_of(INTEREST_UIDS, &uid);
    int rc = command_check_name(uid);

    *out = NULL;
    p.ext = span_of(uid.data, uid.len);
    return rc < 0 ? rc : ask_clients(gw, &reach, &p, true, out);
}

int gw_get_client_ids_by_uids(struct gw *gw, const struct gw_bytes *uids, size_t n,
                              const struct gw_name_clients_list **out)
{
    struct wire_packet p = command_of(CMD_BATCH_GET_CLIENT_ID_BY_UID);
    struct reach reach = {.kind = INTEREST_UIDS, .names = uids, .n = n, .wants_answer = true};
    struct fanout f;
    int rc = command_names(&gw->ext, uids, n);

    *out = NULL;
    if (rc < 0)
        return rc;
    p.ext = buf_span(&gw->ext);
    rc = fanout_ask_about(gw, &reach, &p, PHP_ARRAY, &f);
    if (is_listable(rc))
        *out = reply_clients_by_name(&f);
    *out = finish(&rc, &f, *out);
    return rc;
}

int gw_get_client_counts_by_groups(struct gw *gw, const struct gw_bytes *groups, size_t n,
                                   const struct gw_name_count_list **out)
{
    struct wire_packet p = command_of(CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP);
    struct reach reach = {.kind = INTEREST_GROUPS, .names = groups, .n = n, .wants_answer = true};
    struct fanout f;
    int rc = command_names(&gw->ext, groups, n);

    *out = NULL;
    if (rc < 0)
        return rc;
    p.ext = buf_span(&gw->ext);
    rc = fanout_ask_about(gw, &reach, &p, PHP_ARRAY, &f);
    if (is_listable(rc))
        *out = reply_counts_by_name(&f);
    *out = finish(&rc, &f, *out);
    return rc;
}

int gw_get_all_groups(struct gw *gw, const struct gw_name_list **out)
{
    struct wire_packet p = command_of(CMD_GET_GROUP_ID_LIST);
    struct fanout f;
    int rc = fanout_ask_all(gw, &p, PHP_ARRAY, &f);

    *out = is_listable(rc) ? reply_groups(&f) : NULL;
    *out = finish(&rc, &f, *out);
    return rc;
}

/* CMD_SELECT with what gw->ext holds. */
static int ask_uids(struct gw *gw, const struct reach *reach, const struct gw_name_list **out)
{
    struct wire_packet p = command_of(CMD_SELECT);
    struct fanout f;

    p.ext = buf_span(&gw->ext);
    int rc = fanout_ask_about(gw, reach, &p, PHP_ARRAY, &f);
    *out = is_listable(rc) ? reply_uids(&f) : NULL;
    *out = finish(&rc, &f, *out);
    return rc;
}

int gw_get_all_uids(struct gw *gw, const struct gw_name_list **out)
{
    command_select(&gw->ext, "\"uid\"");
    return ask_uids(gw, NULL, out);
}

int gw_get_uids_by_group(struct gw *gw, struct gw_bytes group, const struct gw_name_list **out)
{
    struct reach reach = reach_of(INTEREST_GROUPS, &group);
    int rc = command_select_group(&gw->ext, "\"uid\"", group);

    *out = NULL;
    return rc < 0 ? rc : ask_uids(gw, &reach, out);
}

/* Asks all gateways for fields of all clients. */
static int select_all(struct gw *gw, const char *fields, struct fanout *f)
{
    struct wire_packet p = command_of(CMD_SELECT);

    command_select(&gw->ext, fields);
    p.ext = buf_span(&gw->ext);
    return fanout_ask_all(gw, &p, PHP_ARRAY, f);
}

int gw_get_all_group_client_ids(struct gw *gw, const struct gw_name_clients_list **out)
{
    struct fanout f;
    int rc = select_all(gw, "\"groups\"", &f);

    *out = is_listable(rc) ? reply_group_clients(&f) : NULL;
    *out = finish(&rc, &f, *out);
    return rc;
}

int gw_get_all_group_client_counts(struct gw *gw, const struct gw_name_count_list **out)
{
    struct fanout f;
    int rc = select_all(gw, "\"groups\"", &f);

    *out = is_listable(rc) ? reply_group_counts(&f) : NULL;
    *out = finish(&rc, &f, *out);
    return rc;
}

int gw_get_all_group_uids(struct gw *gw, const struct gw_name_names_list **out)
{
    struct fanout f;
    int rc = select_all(gw, "\"uid\",\"groups\"", &f);

    *out = is_listable(rc) ? reply_group_uids(&f) : NULL;
    *out = finish(&rc, &f, *out);
    return rc;
}

int gw_get_all_group_uid_counts(struct gw *gw, const struct gw_name_count_list **out)
{
    struct fanout f;
    int rc = select_all(gw, "\"uid\",\"groups\"", &f);

    *out = is_listable(rc) ? reply_group_uid_counts(&f) : NULL;
    *out = finish(&rc, &f, *out);
    return rc;
}
