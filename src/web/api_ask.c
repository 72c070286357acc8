/* Names that are not UTF-8 cannot be told in JSON, nor named by a caller: they are left out. */
#include "web/api_ask.h"

#include <string.h>

#include <gw/gateway.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "web/api_ops.h"
#include "web/api_tell.h"

static struct span span_from(struct gw_bytes b)
{
    return span_of(b.data, b.len);
}

/* A list in the making: not longer than the limit, and how long it would be. */
struct listing {
    struct gw_json *list;
    size_t total;
    size_t limit;
};

static struct listing begin(const struct api_run *r)
{
    return (struct listing){.list = gw_json_array(), .limit = r->args->limit};
}

static bool takes_more(struct listing *l)
{
    return l->total++ < l->limit;
}

static void end(struct api_run *r, struct listing *l, const char *name)
{
    gw_json_set(r->out, name, l->list);
    gw_json_set_int(r->out, "total", (int64_t)l->total);
}

/* An entry that begins with a name; NULL when that is no text. */
static struct gw_json *entry_of(const char *kind, struct gw_bytes name)
{
    struct gw_json *entry = gw_json_object();
    if (gw_json_set_strn(entry, kind, name) == 0)
        return entry;
    gw_json_free(entry);
    return NULL;
}

/* ---- clients ---- */

typedef int all_fn(struct gw *gw, const struct gw_client_list **out);
typedef int group_fn(struct gw *gw, struct gw_bytes group, const struct gw_client_list **out);
typedef struct gw_json *client_fn(const struct gw_client_entry *client);

static struct gw_json *client_id(const struct gw_client_entry *client)
{
    return gw_json_from_str(client->id);
}

static struct gw_json *session_value(const struct gw_session *session)
{
    char *text = session ? gw_session_json(session, NULL) : NULL;
    if (!text)
        return gw_json_from_null();
    size_t len = strlen(text);
    struct gw_json *value =
        gw_json_parse_within(gw_bytes(text, len), len, GW_JSON_DEPTH_MAX, NULL, 0);
    gw_free(text);
    return value ? value : gw_json_from_null();
}

static struct gw_json *client_session(const struct gw_client_entry *client)
{
    struct gw_json *entry = gw_json_object();
    gw_json_set_str(entry, "client", client->id);
    gw_json_set(entry, "session", session_value(client->session));
    return entry;
}

/* False when the call failed. */
static bool add_clients(struct api_run *r, struct listing *l, int rc,
                        const struct gw_client_list *found, client_fn *tell)
{
    if (!api_has_list(r, rc))
        return false;
    for (size_t i = 0; i < found->n; i++)
        if (takes_more(l))
            gw_json_append(l->list, tell(&found->clients[i]));
    api_tell_failures(r, found->failures, found->failures_n);
    gw_result_free(found);
    return true;
}

static void ask_clients(struct api_run *r, all_fn *all, group_fn *of_group, client_fn *tell,
                        const char *name)
{
    const struct api_names *groups = &r->args->groups;
    const struct gw_client_list *found = NULL;
    struct listing l = begin(r);
    bool is_going = true;
    if (groups->n == 0) {
        int rc = all(r->gw, &found);
        (void)add_clients(r, &l, rc, found, tell);
    }
    for (size_t i = 0; is_going && i < groups->n; i++) {
        int rc = of_group(r->gw, groups->at[i], &found);
        is_going = add_clients(r, &l, rc, found, tell);
    }
    end(r, &l, name);
}

static struct gw_json *online_entry(const char *kind, struct gw_bytes name, bool is_online)
{
    struct gw_json *entry = entry_of(kind, name);
    gw_json_set_bool(entry, "online", is_online);
    return entry;
}

/* One question for all of them; what is not known because a gateway failed is told as such. */
static void ask_uids_online(struct api_run *r)
{
    const struct api_names *uids = &r->args->uids;
    const struct gw_name_clients_list *found = NULL;
    int rc = gw_get_client_ids_by_uids(r->gw, uids->at, uids->n, &found);
    if (!api_has_list(r, rc))
        return;
    struct gw_json *list = gw_json_array();
    for (size_t i = 0; i < found->n; i++)
        gw_json_append(list, online_entry("uid", found->at[i].name, found->at[i].n > 0));
    api_tell_failures(r, found->failures, found->failures_n);
    gw_result_free(found);
    gw_json_set(r->out, "online", list);
}

static void ask_clients_online(struct api_run *r)
{
    const struct api_names *clients = &r->args->clients;
    struct gw_json *list = gw_json_array();
    for (size_t i = 0; i < clients->n && r->fault.status == 0; i++) {
        int rc = gw_is_online(r->gw, clients->texts[i]);
        if (rc >= 0 || api_is_gone(r, rc))
            gw_json_append(list, online_entry("client", clients->at[i], rc > 0));
        else if (clients->n > 1)
            api_tell_failure(r, "client", clients->texts[i], rc);
        else
            api_fault_from(&r->fault, rc);
    }
    gw_json_set(r->out, "online", list);
}

void api_ask_online(struct api_run *r)
{
    if (r->args->clients.n > 0)
        ask_clients_online(r);
    else if (r->args->uids.n > 0)
        ask_uids_online(r);
    else
        ask_clients(r, gw_get_all_client_ids, gw_get_client_ids_by_group, client_id, "clients");
}

void api_ask_sessions(struct api_run *r)
{
    ask_clients(r, gw_get_all_client_sessions, gw_get_client_sessions_by_group, client_session,
                "sessions");
}

/* ---- groups ---- */

/* An entry for a group that the key may see and the limit has room for, or NULL. */
static struct gw_json *group_entry(struct api_run *r, struct listing *l, struct gw_bytes name)
{
    if (!api_key_may_group(r->key, span_from(name)) || !utf8_is_valid(span_from(name)))
        return NULL;
    return takes_more(l) ? entry_of("group", name) : NULL;
}

static void ask_group_counts(struct api_run *r, struct listing *l)
{
    const struct gw_name_count_list *found = NULL;
    int rc = gw_get_all_group_client_counts(r->gw, &found);
    if (!api_has_list(r, rc))
        return;
    for (size_t i = 0; i < found->n; i++) {
        struct gw_json *entry = group_entry(r, l, found->at[i].name);
        if (!entry)
            continue;
        gw_json_set_int(entry, "clients", (int64_t)found->at[i].count);
        gw_json_append(l->list, entry);
    }
    api_tell_failures(r, found->failures, found->failures_n);
    gw_result_free(found);
}

static void ask_group_clients(struct api_run *r, struct listing *l)
{
    const struct gw_name_clients_list *found = NULL;
    int rc = gw_get_all_group_client_ids(r->gw, &found);
    if (!api_has_list(r, rc))
        return;
    for (size_t i = 0; i < found->n; i++) {
        struct gw_json *entry = group_entry(r, l, found->at[i].name);
        if (!entry)
            continue;
        struct gw_json *members = gw_json_array();
        for (size_t j = 0; j < found->at[i].n; j++)
            gw_json_append(members, gw_json_from_str(found->at[i].client_ids[j]));
        gw_json_set(entry, "members", members);
        gw_json_append(l->list, entry);
    }
    api_tell_failures(r, found->failures, found->failures_n);
    gw_result_free(found);
}

static void ask_group_uids(struct api_run *r, struct listing *l)
{
    const struct gw_name_names_list *found = NULL;
    int rc = gw_get_all_group_uids(r->gw, &found);
    if (!api_has_list(r, rc))
        return;
    for (size_t i = 0; i < found->n; i++) {
        struct gw_json *entry = group_entry(r, l, found->at[i].name);
        if (!entry)
            continue;
        struct gw_json *members = gw_json_array();
        for (size_t j = 0; j < found->at[i].n; j++)
            gw_json_append(members, gw_json_from_strn(found->at[i].names[j]));
        gw_json_set(entry, "members", members);
        gw_json_append(l->list, entry);
    }
    api_tell_failures(r, found->failures, found->failures_n);
    gw_result_free(found);
}

void api_ask_groups(struct api_run *r)
{
    struct listing l = begin(r);
    if (!(r->args->given & API_MEMBERS))
        ask_group_counts(r, &l);
    else if (r->args->wants_uids)
        ask_group_uids(r, &l);
    else
        ask_group_clients(r, &l);
    end(r, &l, "groups");
}

/* ---- uids ---- */

static bool add_uids(struct api_run *r, struct listing *l, int rc, const struct gw_name_list *found)
{
    if (!api_has_list(r, rc))
        return false;
    for (size_t i = 0; i < found->n; i++)
        if (utf8_is_valid(span_from(found->names[i])) && takes_more(l))
            gw_json_append(l->list, entry_of("uid", found->names[i]));
    api_tell_failures(r, found->failures, found->failures_n);
    gw_result_free(found);
    return true;
}

/* Uids that were named, with their clients. */
static void ask_clients_of_uids(struct api_run *r, struct listing *l)
{
    const struct api_names *uids = &r->args->uids;
    const struct gw_name_clients_list *found = NULL;
    int rc = gw_get_client_ids_by_uids(r->gw, uids->at, uids->n, &found);
    if (!api_has_list(r, rc))
        return;
    for (size_t i = 0; i < found->n; i++) {
        if (!takes_more(l))
            continue;
        struct gw_json *entry = entry_of("uid", found->at[i].name);
        struct gw_json *clients = gw_json_array();
        for (size_t j = 0; j < found->at[i].n; j++)
            gw_json_append(clients, gw_json_from_str(found->at[i].client_ids[j]));
        gw_json_set(entry, "clients", clients);
        gw_json_append(l->list, entry);
    }
    api_tell_failures(r, found->failures, found->failures_n);
    gw_result_free(found);
}

void api_ask_uids(struct api_run *r)
{
    const struct api_names *groups = &r->args->groups;
    const struct gw_name_list *found = NULL;
    struct listing l = begin(r);
    bool is_going = true;
    if (r->args->uids.n > 0) {
        ask_clients_of_uids(r, &l);
    } else if (groups->n == 0) {
        int rc = gw_get_all_uids(r->gw, &found);
        (void)add_uids(r, &l, rc, found);
    }
    for (size_t i = 0; is_going && i < groups->n; i++) {
        int rc = gw_get_uids_by_group(r->gw, groups->at[i], &found);
        is_going = add_uids(r, &l, rc, found);
    }
    end(r, &l, "uids");
}

/* ---- counts ---- */

/* From lists, which also come when a gateway fails; uids may be on several gateways and count once.
 * False when the call failed. */
static bool put_counts(struct api_run *r, struct gw_json *into, const struct gw_bytes *group)
{
    const struct gw_client_list *clients = NULL;
    const struct gw_name_list *uids = NULL;
    int rc = group ? gw_get_client_ids_by_group(r->gw, *group, &clients)
                   : gw_get_all_client_ids(r->gw, &clients);
    if (!api_has_list(r, rc))
        return false;
    rc = group ? gw_get_uids_by_group(r->gw, *group, &uids) : gw_get_all_uids(r->gw, &uids);
    bool has_uids = api_has_list(r, rc);
    if (has_uids) {
        gw_json_set_int(into, "clients", (int64_t)clients->n);
        gw_json_set_int(into, "uids", (int64_t)uids->n);
        api_tell_failures(r, uids->failures, uids->failures_n);
    }
    gw_result_free(clients);
    gw_result_free(uids);
    return has_uids;
}

void api_ask_count(struct api_run *r)
{
    const struct api_names *groups = &r->args->groups;
    if (groups->n == 0) {
        (void)put_counts(r, r->out, NULL);
        return;
    }
    struct gw_json *list = gw_json_array();
    bool is_going = true;
    for (size_t i = 0; is_going && i < groups->n; i++) {
        struct gw_json *entry = entry_of("group", groups->at[i]);
        is_going = put_counts(r, entry, &groups->at[i]);
        gw_json_append(list, entry);
    }
    gw_json_set(r->out, "groups", list);
}

/* ---- single clients ---- */

static struct gw_json *group_names(const struct api_run *r, const struct gw_name_list *groups)
{
    struct gw_json *list = gw_json_array();
    for (size_t i = 0; groups && i < groups->n; i++)
        if (api_key_may_group(r->key, span_from(groups->names[i])))
            gw_json_append(list, gw_json_from_strn(groups->names[i]));
    return list;
}

/* uid, groups and session of a client that is there. 0 or an error. */
static int put_client(struct api_run *r, struct gw_json *entry, const char *id)
{
    const struct gw_name_list *groups = NULL;
    struct gw_session *session = NULL;
    int rc = 0;
    char *uid = gw_get_uid_by_client(r->gw, id, &rc);
    if (rc >= 0)
        rc = gw_get_groups_by_client(r->gw, id, &groups);
    if (rc >= 0)
        session = gw_get_session(r->gw, id, &rc);
    if (rc >= 0) {
        if (!uid || gw_json_set_str(entry, "uid", uid) < 0)
            gw_json_set_null(entry, "uid");
        gw_json_set(entry, "groups", group_names(r, groups));
        gw_json_set(entry, "session", session_value(session));
    }
    gw_session_free(session);
    gw_result_free(groups);
    gw_free(uid);
    return rc < 0 ? rc : 0;
}

static int tell_client(struct api_run *r, struct gw_json *list, const char *id)
{
    struct gw_json *entry = gw_json_object();
    int rc = gw_is_online(r->gw, id);
    bool is_online = rc > 0;
    if (rc < 0 && api_is_gone(r, rc))
        rc = 0;
    gw_json_set_str(entry, "client", id);
    gw_json_set_bool(entry, "online", is_online);
    if (is_online)
        rc = put_client(r, entry, id);
    if (rc < 0)
        gw_json_free(entry);
    else
        gw_json_append(list, entry);
    return rc;
}

void api_ask_client(struct api_run *r)
{
    const struct api_names *clients = &r->args->clients;
    struct gw_json *list = gw_json_array();
    for (size_t i = 0; i < clients->n; i++) {
        int rc = tell_client(r, list, clients->texts[i]);
        if (rc < 0 && clients->n == 1)
            api_fault_from(&r->fault, rc);
        else if (rc < 0)
            api_tell_failure(r, "client", clients->texts[i], rc);
    }
    gw_json_set(r->out, "clients", list);
}
