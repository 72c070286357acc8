/* Commands that ask the same about many groups or uids at once. */
#include <gw/err.h>

#include "base/mem.h"
#include "gateway/cmd.h"
#include "gateway/job.h"
#include "gateway/state.h"
#include "gateway/tour.h"
#include "proto/phpser.h"

/* One entry per name, in the order asked, a name once. A list of ids begins with their number, so
 * that a long one is collected first, slice by slice, and then written, slice by slice. */
struct batch {
    struct job job;
    struct php_doc *doc;
    const struct php_value *names;
    struct php_value *seen; /* array: names that were answered */
    size_t pos;             /* in names */

    struct tour tour; /* of the name in hand, while its ids are collected */
    uint32_t *ids;
    size_t ids_n, written_n;
};

static void fini_batch(struct gateway *g, struct job *j)
{
    struct batch *b = CONTAINER_OF(j, struct batch, job);
    tour_end(&b->tour);
    php_doc_free(b->doc);
    mem_free(b->ids);
}

/* The next name that was not answered yet. 1, 0 at the end, or GW_EPROTO: a nested array among the
 * names kills the original; here the query is refused, see peer_refuse() (batch_nested). */
static int next_name(struct batch *b, struct slice *s, struct span *name)
{
    struct php_key unused, key;
    const struct php_value *v;
    do {
        s->items_n++;
        if (!php_next(b->names, &b->pos, &unused, &v))
            return 0;
        if (!receivers_key_text(b->doc, v, name))
            return GW_EPROTO;
        key = php_key_of(*name);
    } while (php_get_key(b->seen, &key));
    php_set(b->doc, b->seen, key, php_new_null(b->doc));
    return 1;
}

static int count_members(struct gateway *g, struct job *j, struct slice *s)
{
    struct batch *b = CONTAINER_OF(j, struct batch, job);
    while (!slice_is_over(s)) {
        struct span name;
        int rc = next_name(b, s, &name);
        if (rc <= 0)
            return rc;
        const struct group *group = groups_find(&g->groups, name);
        php_put_key(s->out, name);
        php_put_int(s->out, group ? group->members.live_n : 0);
        s->entries_n++;
    }
    return 1;
}

/* ---- lists of ids ---- */

enum { SHORT_LIST = 64 };

static void put_ids(struct slice *s, const struct roster *members)
{
    uint32_t pos = 0;
    int64_t n = 0;
    php_put_array(s->out, members->live_n);
    for (const struct client *c = roster_next(members, &pos); c; c = roster_next(members, &pos)) {
        php_put_int(s->out, n++);
        php_put_int(s->out, c->id);
    }
    php_put_array_end(s->out);
    s->items_n += members->live_n;
}

static void collect_ids(struct batch *b, struct slice *s)
{
    while (!slice_is_over(s)) {
        const struct client *c = tour_next(&b->tour);
        if (c) {
            b->ids[b->ids_n++] = c->id;
            continue;
        }
        tour_end(&b->tour);
        php_put_array(s->out, b->ids_n);
        return;
    }
}

static void write_ids(struct batch *b, struct slice *s)
{
    while (b->written_n < b->ids_n && !slice_is_over(s)) {
        php_put_int(s->out, (int64_t)b->written_n);
        php_put_int(s->out, b->ids[b->written_n++]);
    }
    if (b->written_n < b->ids_n)
        return;
    php_put_array_end(s->out);
    s->entries_n++;
    mem_free(b->ids);
    b->ids = NULL;
    b->ids_n = b->written_n = 0;
}

/* The list of one name, or the beginning of it. */
static void begin_list(struct gateway *g, struct batch *b, struct slice *s, struct span name)
{
    struct group *group = groups_find(&g->uids, name);
    php_put_key(s->out, name);
    if (group && group->members.len > SHORT_LIST) {
        b->ids = mem_alloc(group->members.live_n * sizeof(*b->ids));
        tour_begin_group(&b->tour, &g->uids, group);
        return;
    }
    put_ids(s, group ? &group->members : &(struct roster){0});
    s->entries_n++;
}

static int list_members(struct gateway *g, struct job *j, struct slice *s)
{
    struct batch *b = CONTAINER_OF(j, struct batch, job);
    while (!slice_is_over(s)) {
        struct span name;
        if (b->tour.members) {
            collect_ids(b, s);
            continue;
        }
        if (b->ids) {
            write_ids(b, s);
            continue;
        }
        int rc = next_name(b, s, &name);
        if (rc <= 0)
            return rc;
        begin_list(g, b, s, name);
    }
    return 1;
}

/* ---- both ---- */

static int batch(struct gateway *g, struct peer *from, const struct wire_packet *p,
                 const struct job_kind *kind)
{
    struct batch b = {.doc = php_doc_new()};
    b.names = php_read_json(b.doc, p->ext);
    b.seen = php_new_array(b.doc);
    if (!b.names || php_type(b.names) != PHP_ARRAY)
        b.names = b.seen; /* nobody is asked for */
    return job_run(g, from, kind, &b.job);
}

int cmd_group_counts(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    static const struct job_kind kind = {.bytes = sizeof(struct batch),
                                         .has_answer = true,
                                         .step = count_members,
                                         .fini = fini_batch};
    return batch(g, from, p, &kind);
}

int cmd_uids_clients(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    static const struct job_kind kind = {.bytes = sizeof(struct batch),
                                         .has_answer = true,
                                         .step = list_members,
                                         .fini = fini_batch};
    return batch(g, from, p, &kind);
}
