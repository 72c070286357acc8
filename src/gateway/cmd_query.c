/* Commands that ask for counts and lists. */
#include <gw/err.h>

#include "gateway/cmd.h"
#include "gateway/state.h"
#include "proto/phpser.h"

/* Replies are written from the tables straight into the scratch buffer: entries in connecting or
 * joining order (vectors/README.md). */
static struct buf *begin(struct gateway *g)
{
    buf_clear(&g->text);
    return &g->text;
}

static int end(struct gateway *g, struct peer *from)
{
    peer_reply(from, buf_span(&g->text));
    return 0;
}

int cmd_is_online(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    php_put_int(begin(g), clients_find(&g->clients, p->connection_id) ? 1 : 0);
    return end(g, from);
}

static void put_sessions(struct buf *out, const struct roster *members)
{
    uint32_t pos = 0;
    php_put_array(out, members->live_n);
    for (struct client *c = roster_next(members, &pos); c; c = roster_next(members, &pos)) {
        php_put_int(out, c->id);
        php_put_string(out, client_session(c));
    }
    php_put_array_end(out);
}

static const struct roster NOBODY = {0};

static const struct roster *members_of(const struct groups *gs, struct span name)
{
    const struct group *group = groups_find(gs, name);
    return group ? &group->members : &NOBODY;
}

int cmd_all_sessions(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    put_sessions(begin(g), &g->clients.all);
    return end(g, from);
}

int cmd_group_sessions(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    put_sessions(begin(g), members_of(&g->groups, p->ext));
    return end(g, from);
}

int cmd_group_count(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    const struct roster *counted =
        p->ext.len == 0 ? &g->clients.all : members_of(&g->groups, p->ext);
    php_put_int(begin(g), counted->live_n);
    return end(g, from);
}

int cmd_uid_clients(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    const struct roster *members = members_of(&g->uids, p->ext);
    struct buf *out = begin(g);
    uint32_t pos = 0;
    int64_t n = 0;
    php_put_array(out, members->live_n);
    for (struct client *c = roster_next(members, &pos); c; c = roster_next(members, &pos)) {
        php_put_int(out, n++);
        php_put_int(out, c->id);
    }
    php_put_array_end(out);
    return end(g, from);
}

int cmd_group_ids(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    struct buf *out = begin(g);
    size_t pos = 0;
    int64_t n = 0;
    php_put_array(out, groups_len(&g->groups));
    for (struct group *group = groups_next(&g->groups, &pos); group;
         group = groups_next(&g->groups, &pos)) {
        php_put_int(out, n++);
        php_put_key(out, group_name(group)); /* PHP returns array keys: "5" is i:5; */
    }
    php_put_array_end(out);
    return end(g, from);
}

/* ---- batches ---- */

typedef struct php_value *batch_fn(struct php_doc *doc, const struct roster *members);

static struct php_value *count_of(struct php_doc *doc, const struct roster *members)
{
    return php_new_int(doc, members->live_n);
}

static struct php_value *ids_of(struct php_doc *doc, const struct roster *members)
{
    struct php_value *ids = php_new_array(doc);
    uint32_t pos = 0;
    for (struct client *c = roster_next(members, &pos); c; c = roster_next(members, &pos))
        php_append(doc, ids, php_new_int(doc, c->id));
    return ids;
}

/* One entry per name, in the order asked. A nested array among the names kills the original; here
 * it costs the asking connection, which would wait for an answer (batch_nested). */
static int batch(struct gateway *g, struct peer *from, const struct wire_packet *p,
                 const struct groups *gs, batch_fn *answer)
{
    struct php_doc *doc = php_doc_new();
    const struct php_value *names = php_read_json(doc, p->ext);
    struct php_value *all = php_new_array(doc);
    size_t pos = 0;
    struct php_key key;
    const struct php_value *v;
    struct span name;
    int rc = 0;
    bool is_list = names && php_type(names) == PHP_ARRAY;
    while (is_list && rc == 0 && php_next(names, &pos, &key, &v)) {
        if (receivers_key_text(doc, v, &name))
            php_set(doc, all, php_key_of(name), answer(doc, members_of(gs, name)));
        else
            rc = GW_EPROTO;
    }
    if (rc == 0) {
        php_write(all, begin(g));
        rc = end(g, from);
    }
    php_doc_free(doc);
    return rc;
}

int cmd_group_counts(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    return batch(g, from, p, &g->groups, count_of);
}

int cmd_uids_clients(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    return batch(g, from, p, &g->uids, ids_of);
}
