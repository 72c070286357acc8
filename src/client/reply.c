/* Walks over decoded answers. Lists of several gateways are put behind one another; names that
 * several gateways know are joined. */
#include "client/reply.h"

#include "client/gather.h"
#include "client/result.h"

/* ---- lists of clients ---- */

static size_t entries_n(const struct fanout *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        if (f->targets[i].value)
            n += php_len(f->targets[i].value);
    return n;
}

static void finish_clients(struct result *r, const struct fanout *f,
                           const struct gw_client_entry *clients, size_t n)
{
    r->list.clients.clients = clients;
    r->list.clients.n = n;
    r->list.clients.failures = result_failures(r, f, &r->list.clients.failures_n);
}

const struct gw_client_list *reply_client_ids(struct fanout *f, bool is_listed)
{
    struct result *r = result_new();
    struct gw_client_entry *clients = arena_alloc(&r->arena, entries_n(f) * sizeof *clients);
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++) {
        size_t pos = 0;
        struct php_key key;
        const struct php_value *value;
        while (f->targets[i].value && php_next(f->targets[i].value, &pos, &key, &value)) {
            breath_step(&f->breath);
            int64_t id = !is_listed                   ? (key.is_int ? key.num : -1)
                         : php_type(value) == PHP_INT ? php_int(value)
                                                      : -1;
            if (gather_id_text(f->targets[i].at, id, clients[n].id))
                n++;
            else
                fanout_refuse(&f->targets[i]);
        }
    }
    finish_clients(r, f, clients, n);
    return &r->list.clients;
}

/* The bytes of a session must outlive the decoded answer: they move into the arena. */
static void add_session(struct result *r, struct gw_client_entry *entry, struct span raw)
{
    struct session_values *values = &r->sessions[r->sessions_n++];

    session_init(values, span_of(arena_text(&r->arena, raw), raw.len), true);
    entry->session = &values->handle;
}

const struct gw_client_list *reply_sessions(struct fanout *f, const char *current,
                                            struct span current_raw)
{
    struct result *r = result_new();
    struct gw_client_entry *clients = arena_alloc(&r->arena, entries_n(f) * sizeof *clients);
    size_t n = 0;

    r->sessions = arena_alloc(&r->arena, entries_n(f) * sizeof *r->sessions);
    for (size_t i = 0; i < f->n; i++) {
        size_t pos = 0;
        struct php_key key;
        const struct php_value *value;
        while (f->targets[i].value && php_next(f->targets[i].value, &pos, &key, &value)) {
            breath_step(&f->breath);
            if (!key.is_int || !gather_id_text(f->targets[i].at, key.num, clients[n].id)) {
                fanout_refuse(&f->targets[i]);
                break;
            }
            bool is_current = current && strcmp(current, clients[n].id) == 0;
            add_session(r, &clients[n],
                        is_current                      ? current_raw
                        : php_type(value) == PHP_STRING ? php_string(value)
                                                        : span_of(NULL, 0));
            n++;
        }
    }
    finish_clients(r, f, clients, n);
    return &r->list.clients;
}

/* ---- names ---- */

/* Calls `take` for every entry of every usable answer; false from it marks the answer as broken. */
typedef bool take_fn(struct gather *g, struct gateway_at at, const struct php_key *key,
                     const struct php_value *value);

static void gather_all(struct gather *g, struct fanout *f, take_fn *take)
{
    gather_init(g, &f->breath);
    for (size_t i = 0; i < f->n; i++) {
        struct fanout_target *t = &f->targets[i];
        size_t pos = 0;
        struct php_key key;
        const struct php_value *value;
        while (t->value && php_next(t->value, &pos, &key, &value)) {
            breath_step(g->breath);
            if (!take(g, t->at, &key, value))
                fanout_refuse(t);
        }
    }
}

static bool take_value(struct gather *g, struct gateway_at at, const struct php_key *key,
                       const struct php_value *value)
{
    char digits[24];
    struct span name = gather_value_text(value, digits);

    if (name.len > 0)
        gather_name(g, name);
    return name.len > 0;
}

/* A field of CMD_SELECT; N; when the client never had it (vectors/README.md, Traps). */
static const struct php_value *field(const struct php_value *item, const char *name,
                                     enum php_type type)
{
    const struct php_value *v = php_type(item) == PHP_ARRAY ? php_get(item, name) : NULL;

    return v && php_type(v) == type ? v : NULL;
}

static bool take_uid(struct gather *g, struct gateway_at at, const struct php_key *key,
                     const struct php_value *value)
{
    const struct php_value *uid = field(value, "uid", PHP_STRING);

    if (uid && php_string(uid).len > 0)
        gather_name(g, php_string(uid));
    return php_type(value) == PHP_ARRAY;
}

static bool take_groups(struct gather *g, struct gateway_at at, const struct php_key *key,
                        const struct php_value *value)
{
    const struct php_value *groups = field(value, "groups", PHP_ARRAY);
    size_t pos = 0;
    struct php_key group_key;
    const struct php_value *group;
    char digits[24];

    while (groups && php_next(groups, &pos, &group_key, &group)) {
        breath_step(g->breath);
        gather_client(g, gather_value_text(group, digits), at, key->is_int ? key->num : -1);
    }
    return php_type(value) == PHP_ARRAY;
}

/* Clients without a uid or group are passed over; the original stops at the first of them and loses
 * the rest of that gateway (docs/wire.md §5). */
static bool take_group_uids(struct gather *g, struct gateway_at at, const struct php_key *key,
                            const struct php_value *value)
{
    const struct php_value *uid = field(value, "uid", PHP_STRING);
    const struct php_value *groups = field(value, "groups", PHP_ARRAY);
    size_t pos = 0;
    struct php_key group_key;
    const struct php_value *group;
    char digits[24];

    if (uid && php_string(uid).len > 0)
        while (groups && php_next(groups, &pos, &group_key, &group))
            gather_member(g, gather_value_text(group, digits), php_string(uid));
    return php_type(value) == PHP_ARRAY;
}

static bool take_clients(struct gather *g, struct gateway_at at, const struct php_key *key,
                         const struct php_value *value)
{
    char digits[24];
    struct span name = gather_key_text(key, digits);
    size_t pos = 0;
    struct php_key unused;
    const struct php_value *id;

    if (php_type(value) != PHP_ARRAY)
        return false;
    gather_name(g, name);
    while (php_next(value, &pos, &unused, &id)) {
        breath_step(g->breath);
        gather_client(g, name, at, php_type(id) == PHP_INT ? php_int(id) : -1);
    }
    return true;
}

static bool take_count(struct gather *g, struct gateway_at at, const struct php_key *key,
                       const struct php_value *value)
{
    char digits[24];

    if (php_type(value) != PHP_INT || php_int(value) < 0)
        return false;
    gather_count(g, gather_key_text(key, digits), (uint64_t)php_int(value));
    return true;
}

static const struct gw_name_list *names_of(struct fanout *f, take_fn *take)
{
    struct result *r = result_new();
    struct gather g;

    gather_all(&g, f, take);
    gather_names(&g, r);
    gather_fini(&g);
    r->list.names.failures = result_failures(r, f, &r->list.names.failures_n);
    return &r->list.names;
}

static const struct gw_name_clients_list *clients_of(struct fanout *f, take_fn *take)
{
    struct result *r = result_new();
    struct gather g;

    gather_all(&g, f, take);
    gather_clients(&g, r);
    gather_fini(&g);
    r->list.name_clients.failures = result_failures(r, f, &r->list.name_clients.failures_n);
    return &r->list.name_clients;
}

static const struct gw_name_count_list *counts_of(struct fanout *f, take_fn *take)
{
    struct result *r = result_new();
    struct gather g;

    gather_all(&g, f, take);
    gather_counts(&g, r);
    gather_fini(&g);
    r->list.name_counts.failures = result_failures(r, f, &r->list.name_counts.failures_n);
    return &r->list.name_counts;
}

static const struct gw_name_names_list *members_of(struct fanout *f, take_fn *take)
{
    struct result *r = result_new();
    struct gather g;

    gather_all(&g, f, take);
    gather_members(&g, r);
    gather_fini(&g);
    r->list.name_names.failures = result_failures(r, f, &r->list.name_names.failures_n);
    return &r->list.name_names;
}

const struct gw_name_list *reply_groups(struct fanout *f)
{
    return names_of(f, take_value);
}

const struct gw_name_list *reply_uids(struct fanout *f)
{
    return names_of(f, take_uid);
}

const struct gw_name_list *reply_client_groups(struct fanout *f)
{
    return names_of(f, take_groups);
}

const struct gw_name_clients_list *reply_clients_by_name(struct fanout *f)
{
    return clients_of(f, take_clients);
}

const struct gw_name_count_list *reply_counts_by_name(struct fanout *f)
{
    return counts_of(f, take_count);
}

const struct gw_name_clients_list *reply_group_clients(struct fanout *f)
{
    return clients_of(f, take_groups);
}

const struct gw_name_count_list *reply_group_counts(struct fanout *f)
{
    return counts_of(f, take_groups);
}

const struct gw_name_names_list *reply_group_uids(struct fanout *f)
{
    return members_of(f, take_group_uids);
}

const struct gw_name_count_list *reply_group_uid_counts(struct fanout *f)
{
    return counts_of(f, take_group_uids);
}
