/* CMD_SELECT: chosen fields of the clients that meet one of the conditions. */
#include "base/idmap.h"
#include "gateway/cmd.h"
#include "gateway/job.h"
#include "gateway/state.h"
#include "gateway/tour.h"
#include "proto/phpser.h"

enum { FIELDS_MAX = 16 };

struct selection {
    struct job job;
    struct php_doc *doc;
    struct span fields[FIELDS_MAX];
    size_t fields_n;
    const struct php_value *where; /* the conditions that are still to be looked at; NULL: none */
    size_t where_pos;
    struct span condition; /* the one in hand, and its items */
    const struct php_value *items;
    size_t item_pos;
    struct tour tour;   /* of the group or uid in hand, or of everybody */
    struct idmap *seen; /* by connection id; NULL: not needed */
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

/* ---- who ---- */

/* Whom one item of a condition names: one client, or a tour is begun. */
static struct client *find_by(struct gateway *g, struct selection *s, const struct php_value *item)
{
    struct span text;
    if (!receivers_key_text(s->doc, item, &text))
        return NULL;
    if (span_is(s->condition, "connection_id"))
        return clients_find(&g->clients, receivers_id(text));
    if (span_is(s->condition, "groups"))
        tour_begin_group(&s->tour, &g->groups, groups_find(&g->groups, text));
    else if (span_is(s->condition, "uid"))
        tour_begin_group(&s->tour, &g->uids, groups_find(&g->uids, text));
    return NULL;
}

/* One step towards the next client; *found is NULL when it has not come to one. false: all are
 * found. */
static bool find_next(struct gateway *g, struct selection *s, struct client **found)
{
    struct php_key key;
    const struct php_value *v;
    *found = s->tour.members ? tour_next(&s->tour) : NULL;
    if (*found)
        return true;
    tour_end(&s->tour);
    if (s->items && php_next(s->items, &s->item_pos, &key, &v)) {
        *found = find_by(g, s, v);
        return true;
    }
    s->items = NULL;
    if (!s->where || !php_next(s->where, &s->where_pos, &key, &v))
        return false;
    if (!key.is_int && php_type(v) == PHP_ARRAY) {
        s->condition = key.text;
        s->items = v;
        s->item_pos = 0;
    }
    return true;
}

/* The conditions are a union: whom two of them name is found once. One alone cannot name anybody
 * twice. */
static bool is_new(struct selection *s, struct client *c)
{
    if (!s->seen)
        return true;
    if (idmap_get(s->seen, c->id))
        return false;
    idmap_set(s->seen, c->id, s);
    return true;
}

/* Without any condition everybody is meant. */
static void read_where(struct gateway *g, struct selection *s, const struct php_value *where)
{
    bool is_array = where && php_type(where) == PHP_ARRAY;
    if (!where || php_type(where) == PHP_NULL || (is_array && php_len(where) == 0)) {
        if (s->fields_n > 0) /* select_no_fields_value: nobody gets a row then */
            tour_begin(&s->tour, &g->clients.all);
        return;
    }
    struct php_key key;
    const struct php_value *items;
    size_t pos = 0, items_n = 0;
    s->where = is_array ? where : NULL;
    while (is_array && php_next(where, &pos, &key, &items))
        items_n += php_len(items);
    if (items_n > 1)
        s->seen = idmap_new();
}

/* ---- what ---- */

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

static void put_row(struct buf *out, const struct gateway *g, const struct selection *s,
                    const struct client *c)
{
    php_put_int(out, c->id);
    php_put_array(out, s->fields_n);
    for (size_t i = 0; i < s->fields_n; i++) {
        php_put_key(out, s->fields[i]);
        put_field(out, g, c, s->fields[i]);
    }
    php_put_array_end(out);
}

/* ---- the command ---- */

static int select_rows(struct gateway *g, struct job *j, struct slice *slice)
{
    struct selection *s = CONTAINER_OF(j, struct selection, job);
    while (!slice_is_over(slice)) {
        struct client *c;
        if (!find_next(g, s, &c))
            return 0;
        if (!c || !is_new(s, c))
            continue;
        put_row(slice->out, g, s, c);
        slice->entries_n++;
    }
    return 1;
}

static void fini_selection(struct gateway *g, struct job *j)
{
    struct selection *s = CONTAINER_OF(j, struct selection, job);
    tour_end(&s->tour);
    idmap_free(s->seen);
    php_doc_free(s->doc);
}

static const struct job_kind select_kind = {.bytes = sizeof(struct selection),
                                            .has_answer = true,
                                            .step = select_rows,
                                            .fini = fini_selection};

int cmd_select(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct selection s = {.doc = php_doc_new()};
    const struct php_value *ask = php_read_json(s.doc, p->ext);
    if (ask && php_type(ask) == PHP_ARRAY && php_len(ask) > 0) {
        read_fields(&s, array_at(ask, "fields"));
        read_where(g, &s, php_get(ask, "where"));
    }
    return job_run(g, from, &select_kind, &s.job);
}
