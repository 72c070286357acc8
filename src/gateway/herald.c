/* Every word is about the moment at which it is sent, and the last one counts: a walk over all
 * names and the changes of the turn need not know of one another. Both happen in the task of
 * gateway/interest.h, when nothing changes any more. */
#include "gateway/herald.h"

#include "gateway/gateway_conf.h"
#include "gateway/inner.h"
#include "gateway/state.h"
#include "proto/interest.h"

enum {
    BODY_MAX = 32 * 1024,           /* of one packet, and of a walk's share in one turn */
    WALK_QUEUE_MAX = 256 * 1024,    /* a walk rests while this much waits on the link */
    BEHIND_BYTES = 2 * 1024 * 1024, /* a link with so much in its queue is told no changes */
    LOOK_MS = 20,
    ENTRY_MAX = 2 + NAME_MAX_BYTES,
};

static struct peer *peer_of(struct audience *a)
{
    return CONTAINER_OF(a, struct peer, audience);
}

static struct groups *table_of(struct gateway *g, size_t kind)
{
    return kind == MEMBER_GROUP ? &g->groups : &g->uids;
}

static bool is_asking(const struct audience *a)
{
    return !list_is_empty(&a->node);
}

/* ---- words ---- */

static void say(struct peer *p, struct span body)
{
    peer_send(p, &(struct wire_packet){.cmd = CMD_INTEREST,
                                       .flag = WIRE_SCALAR,
                                       .connection_id = p->gateway->herald.said,
                                       .body = body});
}

static void put_word(struct buf *out, enum interest_word word, size_t kind, struct span name)
{
    interest_put(out, &(struct interest_entry){
                          .word = word, .kind = (enum interest_kind)kind, .name = name});
}

static void say_word(struct peer *p, enum interest_word word, size_t kind)
{
    struct buf body = {0};
    put_word(&body, word, kind, span_of(NULL, 0));
    say(p, buf_span(&body));
    buf_fini(&body);
}

/* ---- all names of a kind ---- */

static void begin_walk(struct gateway *g, struct audience *a, size_t kind)
{
    if (a->walk[kind].is_on || g->herald.is_everything[kind])
        return;
    groups_hold(table_of(g, kind));
    a->walk[kind].is_on = true;
    a->walk[kind].pos = 0;
}

static void end_walk(struct gateway *g, struct audience *a, size_t kind)
{
    if (a->walk[kind].is_on)
        groups_let_go(table_of(g, kind));
    a->walk[kind].is_on = false;
}

static void walk_on(struct gateway *g, struct audience *a, size_t kind, struct buf *body)
{
    struct groups *table = table_of(g, kind);
    const struct group *group = NULL;
    while (body->len + ENTRY_MAX <= BODY_MAX &&
           (group = groups_next(table, &a->walk[kind].pos)) != NULL)
        put_word(body, INTEREST_HELD, kind, group_name(group));
    if (group || body->len + ENTRY_MAX > BODY_MAX)
        return;
    put_word(body, INTEREST_KNOWN, kind, span_of(NULL, 0));
    end_walk(g, a, kind);
}

static bool is_walking(const struct audience *a)
{
    return a->walk[MEMBER_GROUP].is_on || a->walk[MEMBER_UID].is_on;
}

/* One slice, if the link has taken most of what it was told. */
static void go_on(struct gateway *g, struct audience *a)
{
    if (conn_queued(peer_of(a)->conn) >= WALK_QUEUE_MAX)
        return;
    for (size_t kind = 0; a->is_behind && kind < MEMBER_KINDS; kind++)
        begin_walk(g, a, kind);
    a->is_behind = false;
    struct buf body = {0};
    for (size_t kind = 0; kind < MEMBER_KINDS; kind++)
        if (a->walk[kind].is_on)
            walk_on(g, a, kind, &body);
    if (body.len > 0)
        say(peer_of(a), buf_span(&body));
    buf_fini(&body);
}

/* ---- too much ---- */

static void fall_behind(struct gateway *g, struct audience *a)
{
    a->is_behind = true;
    for (size_t kind = 0; kind < MEMBER_KINDS; kind++) {
        end_walk(g, a, kind);
        say_word(peer_of(a), INTEREST_UNKNOWN, kind);
    }
}

static void say_everything(struct gateway *g, size_t kind)
{
    for (struct list *n = g->herald.links.next; n != &g->herald.links; n = n->next) {
        struct audience *a = CONTAINER_OF(n, struct audience, node);
        end_walk(g, a, kind);
        if (!a->is_behind)
            say_word(peer_of(a), INTEREST_UNKNOWN, kind);
    }
}

/* Names are told again only when half of them are gone, so that a number around the limit does not
 * have all of them told over and over. */
static void look_at_number(struct gateway *g, size_t kind)
{
    struct herald *h = &g->herald;
    uint64_t n = groups_len(table_of(g, kind));
    uint64_t max_n = (uint64_t)g->conf->interest_max;
    if (!h->is_everything[kind] && n > max_n) {
        h->is_everything[kind] = true;
        say_everything(g, kind);
    } else if (h->is_everything[kind] && n <= max_n / 2) {
        h->is_everything[kind] = false;
        for (struct list *l = h->links.next; l != &h->links; l = l->next)
            begin_walk(g, CONTAINER_OF(l, struct audience, node), kind);
    }
}

/* ---- the end of a turn ---- */

static void say_changes(struct herald *h)
{
    for (struct list *n = h->links.next; h->changes.len > 0 && n != &h->links; n = n->next) {
        struct audience *a = CONTAINER_OF(n, struct audience, node);
        if (!a->is_behind && conn_queued(peer_of(a)->conn) > BEHIND_BYTES)
            fall_behind(h->gateway, a);
        if (!a->is_behind)
            say(peer_of(a), buf_span(&h->changes));
    }
    buf_clear(&h->changes);
}

static void on_change(struct interest_watch *w, enum member_kind kind, struct span name,
                      bool is_held)
{
    struct herald *h = CONTAINER_OF(w, struct herald, watch);
    if (is_held && h->page) {
        notice_put(h->page, kind, name);
        h->has_put = true;
    }
    if (h->is_everything[kind])
        return;
    if (h->changes.len + ENTRY_MAX > BODY_MAX)
        say_changes(h); /* with the number before: a part does not tell all that was put */
    put_word(&h->changes, is_held ? INTEREST_HELD : INTEREST_GONE, kind, name);
}

/* Whoever hears what follows has heard all that was put. */
static void number_what_is_said(struct herald *h)
{
    if (h->has_put)
        h->said = notice_say(h->page);
    h->has_put = false;
}

static void answer_pings(struct herald *h)
{
    while (!list_is_empty(&h->owed)) {
        struct audience *a = CONTAINER_OF(h->owed.next, struct audience, owed);
        list_remove(&a->owed);
        peer_send(peer_of(a), &(struct wire_packet){
                                  .cmd = CMD_PONG, .flag = WIRE_SCALAR, .connection_id = a->ping});
        conn_write_now(peer_of(a)->conn);
    }
}

static void on_end(struct interest_watch *w)
{
    struct herald *h = CONTAINER_OF(w, struct herald, watch);
    bool is_waiting = false;
    number_what_is_said(h);
    say_changes(h);
    for (size_t kind = 0; kind < MEMBER_KINDS; kind++)
        look_at_number(h->gateway, kind);
    for (struct list *n = h->links.next; n != &h->links; n = n->next) {
        struct audience *a = CONTAINER_OF(n, struct audience, node);
        if (a->is_behind || is_walking(a))
            go_on(h->gateway, a);
        is_waiting = is_waiting || a->is_behind || is_walking(a);
        conn_write_now(peer_of(a)->conn);
    }
    answer_pings(h);
    if (is_waiting)
        timer_start(h->gateway->loop, &h->look, LOOK_MS);
}

static void on_look(struct timer *t)
{
    interest_will_tell(&CONTAINER_OF(t, struct herald, look)->gateway->interest);
}

/* ---- who listens ---- */

/* While nobody listens changes are not even collected. */
static void watch(struct herald *h)
{
    if (list_is_empty(&h->watch.node))
        interest_watch(&h->gateway->interest, &h->watch);
    interest_will_tell(&h->gateway->interest);
}

void herald_init(struct gateway *g)
{
    struct herald *h = &g->herald;
    *h = (struct herald){.gateway = g,
                         .watch = {.on_change = on_change, .on_end = on_end},
                         .look = {.fire = on_look},
                         .page = notices_page(g->env->notices, g->env->notices_pos)};
    if (h->page)
        h->said = notice_said(h->page); /* by a process that was here before */
    list_init(&h->watch.node);
    list_init(&h->links);
    list_init(&h->owed);
}

void herald_fini(struct gateway *g)
{
    timer_stop(g->loop, &g->herald.look);
    interest_unwatch(&g->interest, &g->herald.watch);
    buf_fini(&g->herald.changes);
}

void herald_audience_init(struct audience *a)
{
    *a = (struct audience){0};
    list_init(&a->node);
    list_init(&a->owed);
}

void herald_admit(struct gateway *g, struct peer *p)
{
    if (is_asking(&p->audience) || g->conf->interest_max == 0)
        return;
    list_append(&g->herald.links, &p->audience.node);
    for (size_t kind = 0; kind < MEMBER_KINDS; kind++)
        begin_walk(g, &p->audience, kind);
    watch(&g->herald);
}

void herald_forget(struct gateway *g, struct peer *p)
{
    for (size_t kind = 0; kind < MEMBER_KINDS; kind++)
        end_walk(g, &p->audience, kind);
    list_remove(&p->audience.node);
    list_remove(&p->audience.owed);
    if (list_is_empty(&g->herald.links) && list_is_empty(&g->herald.owed))
        interest_unwatch(&g->interest, &g->herald.watch);
}

void herald_ping(struct gateway *g, struct peer *p, uint32_t number)
{
    p->audience.ping = number;
    if (list_is_empty(&p->audience.owed))
        list_append(&g->herald.owed, &p->audience.owed);
    watch(&g->herald);
}
