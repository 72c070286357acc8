/* CMD_SELECT: chosen fields of the clients that meet one of the conditions. */
#include "base/vec.h"
#include "gateway/cmd.h"
#include "gateway/state.h"
#include "proto/phpser.h"

enum { FIELDS_MAX = 16 };

struct selection {
    struct gateway *gateway;
    struct php_doc *doc;
    struct vec found; /* struct client, each once, in the order found */
    struct span fields[FIELDS_MAX];
    size_t fields_n;
};

static const struct php_value *array_at(const struct php_value *object, const char *name)
{
    const struct php_value *v = php_get(object, name);
    return v && php_type(v) == PHP_ARRAY ? v : NULL;
}

/* In the order asked, duplicates collapse: gateway-edge-cases.json select_field_order. */
static void read_fields(struct selection *s, const struct php_value *fields)
{
    size_t pos = 0;
    struct php_key key;
    const struct php_value *v;
    while (fields && s->fields_n < FIELDS_MAX && php_next(fields, &pos, &key, &v)) {
        struct span *field = &s->fields[s->fields_n];
        if (!receivers_key_text(s->doc, v, field))
            continue;
        size_t i = 0;
        while (!span_eq(s->fields[i], *field))
            i++;
        if (i == s->fields_n)
            s->fields_n++;
    }
}

static void find(struct selection *s, struct client *c)
{
    if (!c || c->is_marked)
        return;
    c->is_marked = true;
    vec_push(&s->found, c);
}

static void find_all(struct selection *s, const struct roster *members)
{
    uint32_t pos = 0;
    for (struct client *c = roster_next(members, &pos); c; c = roster_next(members, &pos))
        find(s, c);
}

static void find_by(struct selection *s, struct span condition, const struct php_value *items)
{
    struct gateway *g = s->gateway;
    bool is_id = span_is(condition, "connection_id");
    const struct groups *gs = span_is(condition, "groups") ? &g->groups
                              : span_is(condition, "uid")  ? &g->uids
                                                           : NULL;
    size_t pos = 0;
    struct php_key key;
    const struct php_value *v;
    struct span text;
    while ((is_id || gs) && php_next(items, &pos, &key, &v)) {
        if (!receivers_key_text(s->doc, v, &text))
            continue;
        if (is_id) {
            find(s, clients_find(&g->clients, receivers_id(text)));
            continue;
        }
        const struct group *group = groups_find(gs, text);
        if (group)
            find_all(s, &group->members);
    }
}

/* The conditions are a union; without any, everybody is meant. */
static void find_where(struct selection *s, const struct php_value *where)
{
    if (!where || (php_type(where) == PHP_ARRAY && php_len(where) == 0) ||
        php_type(where) == PHP_NULL) {
        if (s->fields_n > 0) /* select_no_fields_value: nobody gets a row then */
            find_all(s, &s->gateway->clients.all);
        return;
    }
    size_t pos = 0;
    struct php_key key;
    const struct php_value *items;
    while (php_type(where) == PHP_ARRAY && php_next(where, &pos, &key, &items))
        if (!key.is_int && php_type(items) == PHP_ARRAY)
            find_by(s, key.text, items);
}

static void put_groups(struct buf *out, const struct gateway *g, const struct client *c)
{
    if (!c->had_groups) {
        php_put_null(out);
        return;
    }
    size_t n = 0;
    for (const struct membership *m = groups_of(&g->groups, c, NULL); m;
         m = groups_of(&g->groups, c, m))
        n++;
    php_put_array(out, n);
    for (const struct membership *m = groups_of(&g->groups, c, NULL); m;
         m = groups_of(&g->groups, c, m)) {
        php_put_key(out, group_name(m->group));
        php_put_string(out, group_name(m->group));
    }
    php_put_array_end(out);
}

static void put_field(struct buf *out, const struct gateway *g, const struct client *c,
                      struct span field)
{
    const struct membership *uid = groups_of(&g->uids, c, NULL);
    if (span_is(field, "session"))
        php_put_string(out, client_session(c));
    else if (span_is(field, "groups"))
        put_groups(out, g, c);
    else if (span_is(field, "uid") && uid)
        php_put_string(out, group_name(uid->group));
    else
        php_put_null(out); /* select_unknown_field */
}

static void put_rows(struct selection *s, struct buf *out)
{
    php_put_array(out, s->found.len);
    for (size_t i = 0; i < s->found.len; i++) {
        struct client *c = s->found.at[i];
        c->is_marked = false;
        php_put_int(out, c->id);
        php_put_array(out, s->fields_n);
        for (size_t k = 0; k < s->fields_n; k++) {
            php_put_key(out, s->fields[k]);
            put_field(out, s->gateway, c, s->fields[k]);
        }
        php_put_array_end(out);
    }
    php_put_array_end(out);
}

int cmd_select(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct selection s = {.gateway = g, .doc = php_doc_new()};
    const struct php_value *ask = php_read_json(s.doc, p->ext);
    if (ask && php_type(ask) == PHP_ARRAY && php_len(ask) > 0) {
        read_fields(&s, array_at(ask, "fields"));
        find_where(&s, php_get(ask, "where"));
    }
    buf_clear(&g->text);
    put_rows(&s, &g->text);
    peer_reply(from, buf_span(&g->text));
    vec_fini(&s.found);
    php_doc_free(s.doc);
    return 0;
}
