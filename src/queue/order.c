/* Names are those of GatewayClient (PHP). Everything is read and checked before anything is sent,
 * so that a wrong order has done nothing. */
#include "queue/order.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <gw/gateway.h>
#include <gw/json.h>

#include "base/mem.h"
#include "base/span.h"
#include "base/vec.h"
#include "proto/client_id.h"

enum { NAMES_MAX = 10000, TEXT_MAX = 1024 * 1024, DEPTH_MAX = 64 };

enum order_member {
    MEMBER_CLIENT = 1,
    MEMBER_UID = 2,
    MEMBER_GROUP = 4,
    MEMBER_EXCLUDE = 8,
    MEMBER_MESSAGE = 16,
    MEMBER_SESSION = 32,
};

static const struct {
    const char *name;
    unsigned member;
} members[] = {
    {"client", MEMBER_CLIENT},   {"uid", MEMBER_UID},         {"group", MEMBER_GROUP},
    {"exclude", MEMBER_EXCLUDE}, {"message", MEMBER_MESSAGE}, {"session", MEMBER_SESSION},
};

/* Zero-initialised is empty. */
struct names {
    struct vec texts; /* char *, owned */
    struct gw_bytes *at;
};

struct order {
    struct names clients, uids, groups, exclude;
    char *message; /* NULL: none */
    size_t message_len;
    char *session; /* a JSON object */
    char *reason;
};

static PRINTF_LIKE(2, 3) int refuse(struct order *o, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(o->reason, ORDER_REASON_MAX, fmt, args);
    va_end(args);
    return GW_EPROTO;
}

/* ---- reading ---- */

static bool add_name(struct names *names, const struct gw_json *value)
{
    char number[24];
    struct gw_bytes text = gw_json_as_strn(value);

    if (gw_json_type(value) == GW_JSON_INT) {
        snprintf(number, sizeof number, "%lld", (long long)gw_json_as_int(value, 0));
        text = gw_str(number);
    }
    if (text.len < 1 || text.len > GW_NAME_MAX || memchr(text.data, 0, text.len))
        return false;
    vec_push(&names->texts, mem_strndup(text.data, text.len));
    return true;
}

static void view_names(struct names *names)
{
    names->at = mem_alloc(names->texts.len * sizeof *names->at);
    for (size_t i = 0; i < names->texts.len; i++)
        names->at[i] = gw_str(names->texts.at[i]);
}

/* One, or a list of 1 to NAMES_MAX. */
static int read_names(struct order *o, struct names *names, const char *member,
                      const struct gw_json *value)
{
    bool is_list = gw_json_type(value) == GW_JSON_ARRAY;
    size_t n = is_list ? gw_json_len(value) : 1;
    bool is_good = n >= 1 && n <= NAMES_MAX;

    for (size_t i = 0; i < n && is_good; i++)
        is_good = add_name(names, is_list ? gw_json_at(value, i) : value);
    if (!is_good)
        return refuse(o,
                      "%s must be text of 1 to %d bytes without NUL, a whole number, or a list of "
                      "1 to %d of these",
                      member, GW_NAME_MAX, NAMES_MAX);
    view_names(names);
    return 0;
}

static int read_clients(struct order *o, struct names *names, const char *member,
                        const struct gw_json *value)
{
    struct client_id id;
    int rc = read_names(o, names, member, value);

    for (size_t i = 0; i < names->texts.len && rc == 0; i++)
        if (client_id_parse(span_str(names->texts.at[i]), &id) < 0)
            rc = refuse(o, "%s: a client id has 20 hexadecimal digits", member);
    return rc;
}

/* Text as it is; anything else as the JSON it is, for pages that expect JSON. */
static int read_message(struct order *o, const struct gw_json *value)
{
    struct gw_bytes text = gw_json_as_strn(value);

    if (gw_json_type(value) == GW_JSON_STR) {
        o->message = mem_strndup(text.data, text.len);
        o->message_len = text.len;
    } else
        o->message = gw_json_dump(value, GW_JSON_PLAIN, &o->message_len);
    return o->message ? 0 : refuse(o, "message is nested too deep");
}

static int read_session(struct order *o, const struct gw_json *value)
{
    if (gw_json_type(value) != GW_JSON_OBJECT)
        return refuse(o, "session must be an object");
    o->session = gw_json_dump(value, GW_JSON_PLAIN, NULL);
    return 0;
}

static int read_member(struct order *o, unsigned member, const char *name,
                       const struct gw_json *value)
{
    switch (member) {
    case MEMBER_CLIENT:
        return read_clients(o, &o->clients, name, value);
    case MEMBER_EXCLUDE:
        return read_clients(o, &o->exclude, name, value);
    case MEMBER_UID:
        return read_names(o, &o->uids, name, value);
    case MEMBER_GROUP:
        return read_names(o, &o->groups, name, value);
    case MEMBER_MESSAGE:
        return read_message(o, value);
    default:
        return read_session(o, value);
    }
}

/* ---- calls ---- */

/* What one of several gateways could not be told is no reason to tell the others again. */
static void note(int *worst, int rc)
{
    if (rc < 0 && *worst == 0)
        *worst = rc;
}

static struct gw_bytes message_of(const struct order *o)
{
    return gw_bytes(o->message, o->message_len);
}

static struct gw_send exclude_of(const struct order *o)
{
    return (struct gw_send){.exclude_ids = (const char *const *)o->exclude.texts.at,
                            .exclude_n = o->exclude.texts.len};
}

static int send_to_all(struct gw *gw, const struct order *o)
{
    struct gw_send how = exclude_of(o);

    how.only_ids = (const char *const *)o->clients.texts.at; /* NULL without any */
    how.only_n = o->clients.texts.len;
    return gw_send_to_all(gw, message_of(o), &how);
}

static int send_to_client(struct gw *gw, const struct order *o)
{
    int worst = 0;

    for (size_t i = 0; i < o->clients.texts.len; i++)
        note(&worst, gw_send_to_client(gw, o->clients.texts.at[i], message_of(o)));
    return worst;
}

static int send_to_uid(struct gw *gw, const struct order *o)
{
    return gw_send_to_uids(gw, o->uids.at, o->uids.texts.len, message_of(o), NULL);
}

static int send_to_group(struct gw *gw, const struct order *o)
{
    struct gw_send how = exclude_of(o);

    return gw_send_to_groups(gw, o->groups.at, o->groups.texts.len, message_of(o), &how);
}

static int close_client(struct gw *gw, const struct order *o)
{
    int worst = 0;

    for (size_t i = 0; i < o->clients.texts.len; i++)
        note(&worst, gw_close_client(gw, o->clients.texts.at[i], message_of(o)));
    return worst;
}

static int destroy_client(struct gw *gw, const struct order *o)
{
    int worst = 0;

    for (size_t i = 0; i < o->clients.texts.len; i++)
        note(&worst, gw_destroy_client(gw, o->clients.texts.at[i]));
    return worst;
}

static int unbind_uid(struct gw *gw, const struct order *o)
{
    int worst = 0;

    for (size_t i = 0; i < o->clients.texts.len; i++)
        note(&worst, gw_unbind_uid(gw, o->clients.texts.at[i]));
    return worst;
}

/* Every client with every name. */
static int for_each_pair(struct gw *gw, const struct order *o, const struct names *names,
                         int (*call)(struct gw *gw, const char *client_id, struct gw_bytes name))
{
    int worst = 0;

    for (size_t i = 0; i < o->clients.texts.len; i++)
        for (size_t k = 0; k < names->texts.len; k++)
            note(&worst, call(gw, o->clients.texts.at[i], names->at[k]));
    return worst;
}

static int bind_uid(struct gw *gw, const struct order *o)
{
    return for_each_pair(gw, o, &o->uids, gw_bind_uid);
}

static int join_group(struct gw *gw, const struct order *o)
{
    return for_each_pair(gw, o, &o->groups, gw_join_group);
}

static int leave_group(struct gw *gw, const struct order *o)
{
    return for_each_pair(gw, o, &o->groups, gw_leave_group);
}

static int ungroup(struct gw *gw, const struct order *o)
{
    int worst = 0;

    for (size_t i = 0; i < o->groups.texts.len; i++)
        note(&worst, gw_ungroup(gw, o->groups.at[i]));
    return worst;
}

static int set_session(struct gw *gw, const struct order *o)
{
    int worst = 0;

    for (size_t i = 0; i < o->clients.texts.len; i++)
        note(&worst, gw_set_session(gw, o->clients.texts.at[i], o->session));
    return worst;
}

static int update_session(struct gw *gw, const struct order *o)
{
    int worst = 0;

    for (size_t i = 0; i < o->clients.texts.len; i++)
        note(&worst, gw_update_session(gw, o->clients.texts.at[i], o->session));
    return worst;
}

static const struct call {
    const char *name;
    unsigned needed;
    unsigned allowed; /* beside what is needed */
    int (*run)(struct gw *gw, const struct order *o);
} calls[] = {
    {"sendToAll", MEMBER_MESSAGE, MEMBER_CLIENT | MEMBER_EXCLUDE, send_to_all},
    {"sendToClient", MEMBER_CLIENT | MEMBER_MESSAGE, 0, send_to_client},
    {"sendToUid", MEMBER_UID | MEMBER_MESSAGE, 0, send_to_uid},
    {"sendToGroup", MEMBER_GROUP | MEMBER_MESSAGE, MEMBER_EXCLUDE, send_to_group},
    {"closeClient", MEMBER_CLIENT, MEMBER_MESSAGE, close_client},
    {"destroyClient", MEMBER_CLIENT, 0, destroy_client},
    {"bindUid", MEMBER_CLIENT | MEMBER_UID, 0, bind_uid},
    {"unbindUid", MEMBER_CLIENT, 0, unbind_uid},
    {"joinGroup", MEMBER_CLIENT | MEMBER_GROUP, 0, join_group},
    {"leaveGroup", MEMBER_CLIENT | MEMBER_GROUP, 0, leave_group},
    {"ungroup", MEMBER_GROUP, 0, ungroup},
    {"setSession", MEMBER_CLIENT | MEMBER_SESSION, 0, set_session},
    {"updateSession", MEMBER_CLIENT | MEMBER_SESSION, 0, update_session},
};

static const struct call *find_call(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        if (strcmp(calls[i].name, name) == 0)
            return &calls[i];
    return NULL;
}

/* ---- the whole ---- */

/* A misspelt "exclude" must not become a message to everybody, so what is unknown is refused. */
static int read_all(struct order *o, const struct call *call, const struct gw_json *json)
{
    const struct gw_json *value;
    const char *name;
    unsigned found = 0;
    void *it = NULL;

    while (gw_json_next(json, &it, &name, &value)) {
        unsigned member = 0;
        if (strcmp(name, "call") == 0 || strcmp(name, "id") == 0)
            continue;
        for (size_t i = 0; i < ARRAY_LEN(members); i++)
            if (strcmp(members[i].name, name) == 0)
                member = members[i].member;
        if (!(member & (call->needed | call->allowed)))
            return refuse(o, "%s takes no member \"%.40s\"", call->name, name);
        int rc = read_member(o, member, name, value);
        if (rc < 0)
            return rc;
        found |= member;
    }
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (call->needed & members[i].member & ~found)
            return refuse(o, "%s needs the member \"%s\"", call->name, members[i].name);
    return 0;
}

static int run_json(struct gw *gw, struct order *o, const struct gw_json *json)
{
    const char *name = gw_json_str(json, "call", NULL);
    const struct call *call = name ? find_call(name) : NULL;

    if (gw_json_type(json) != GW_JSON_OBJECT)
        return refuse(o, "an order is a JSON object");
    if (!name)
        return refuse(o, "the member \"call\" is missing or no text");
    if (!call)
        return refuse(o, "\"%.40s\" is no call", name);
    int rc = read_all(o, call, json);
    return rc < 0 ? rc : call->run(gw, o);
}

static void names_fini(struct names *names)
{
    for (size_t i = 0; i < names->texts.len; i++)
        mem_free(names->texts.at[i]);
    vec_fini(&names->texts);
    mem_free(names->at);
}

int order_run(struct gw *gw, struct gw_bytes text, char reason[ORDER_REASON_MAX])
{
    struct order o = {.reason = reason};

    reason[0] = '\0';
    struct gw_json *json =
        gw_json_parse_within(text, TEXT_MAX, DEPTH_MAX, reason, ORDER_REASON_MAX);
    int rc = json ? run_json(gw, &o, json) : GW_EPROTO;
    gw_json_free(json);
    names_fini(&o.clients);
    names_fini(&o.uids);
    names_fini(&o.groups);
    names_fini(&o.exclude);
    mem_free(o.message);
    mem_free(o.session);
    return rc;
}
