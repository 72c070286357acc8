/* A send to a group or uid is published once, and NATS brings it to the gateways that have
 * subscribed; those that a link leads to are named as spared, because they have it already, and so
 * are those that may not have subscribed yet, which get it by themselves (mesh/recent.h).
 *
 * A question to many goes to all gateways at once; who answers is told by presence. Answers name
 * their question and their gateway, and find the target by both. */
#include "mesh/beyond.h"

#include <errno.h>
#include <string.h>

#include <gw/err.h>

#include "base/crypto.h"
#include "base/idmap.h"
#include "base/log.h"
#include "base/mem.h"
#include "client/command.h"
#include "cluster/bus.h"
#include "cluster/cluster_conf.h"
#include "cluster/envelope.h"
#include "cluster/presence.h"
#include "cluster/subject.h"
#include "mesh/recent.h"

enum {
    LOOK_MS = 500,
    HEAR_MS = 200,        /* how long a new one listens before it counts as settled */
    ALONE_MS = 1500,      /* and when there is no server */
    SPLIT_NAMES_MAX = 16, /* a send to more names goes to all gateways instead, once */
    SPARED_MAX = ENVELOPE_SPARED_MAX * ENVELOPE_SPARED_BYTES,
};

/* One gateway's answer that is to come. */
struct asked {
    struct list line; /* the one struct query_slot */
    struct beyond *beyond;
    struct gateway_at at;
    uint64_t key;
};

struct stall {
    struct list node;
    struct co *co;
};

struct beyond {
    struct loop *loop;
    const struct gateways *gateways;
    struct fibers *fibers;
    const struct cluster_conf *conf;
    struct nats_conf nats;
    char label[CLUSTER_LABEL_MAX];
    char inbox[SUBJECT_MAX];
    struct bus *bus;
    struct presence presence;
    struct addr_book book; /* see beyond_book() */
    uint32_t book_links;   /* gateways->changes_n of the book */
    bool is_book_old;
    struct idmap *asked; /* by question and gateway */
    uint16_t last_question;
    uint64_t began_ms;
    uint64_t up_ms; /* when it could ask who is there; 0: not yet */
    struct timer look;
    struct task ending;
    struct list stalled;
    struct recent recent;
    struct buf spared; /* scratch: addresses */
    struct buf text;   /* scratch: a message */
    struct buf ext;    /* scratch: the ext_data for one name */
};

/* ---- the book ---- */

static void renew_book(struct beyond *b)
{
    const struct addr_book *linked = &b->gateways->book;

    addr_book_clear(&b->book);
    for (size_t i = 0; i < linked->len; i++)
        addr_book_add(&b->book, linked->at[i]);
    for (size_t i = 0; i < b->presence.book.len; i++)
        addr_book_add(&b->book, b->presence.book.at[i]);
    b->book.far_n = b->book.len - linked->len;
    b->book_links = b->gateways->changes_n;
    b->is_book_old = false;
}

const struct addr_book *beyond_book(struct beyond *b)
{
    if (b->is_book_old || b->book_links != b->gateways->changes_n)
        renew_book(b);
    return &b->book;
}

bool beyond_has(const struct beyond *b, struct gateway_at at)
{
    return presence_has(&b->presence, at);
}

bool beyond_is_settled(const struct beyond *b)
{
    uint64_t now_ms = loop_now_ms(b->loop);

    return b->up_ms > 0 ? now_ms - b->up_ms >= HEAR_MS : now_ms - b->began_ms >= ALONE_MS;
}

/* ---- sending ---- */

static void begin_order(struct beyond *b, uint32_t question)
{
    buf_clear(&b->text);
    envelope_put(&b->text, &(struct envelope){.kind = ENVELOPE_ORDER,
                                              .question = question,
                                              .spared = buf_span(&b->spared)});
}

static int publish(struct beyond *b, const char *subject, bool is_question)
{
    return bus_publish(b->bus, subject, is_question ? b->inbox : "", buf_span(&b->text));
}

int beyond_send(struct beyond *b, struct gateway_at to, const struct wire_packet *p)
{
    char subject[SUBJECT_MAX];

    if (p->cmd == CMD_JOIN_GROUP || p->cmd == CMD_BIND_UID)
        recent_add(&b->recent, p->cmd == CMD_JOIN_GROUP ? INTEREST_GROUPS : INTEREST_UIDS, p->ext,
                   to, loop_now_ms(b->loop));
    buf_clear(&b->spared);
    begin_order(b, 0);
    wire_put(&b->text, p);
    subject_at(b->conf->name, to, subject);
    return publish(b, subject, false);
}

static void spare(struct beyond *b, struct gateway_at at)
{
    if (b->spared.len < SPARED_MAX)
        envelope_put_spared(&b->spared, at);
}

/* Those that have it by a link, and those that get a packet of their own. */
static void spare_all(struct beyond *b, const char *const *but_ids, size_t but_n)
{
    const struct addr_book *linked = &b->gateways->book;

    buf_clear(&b->spared);
    for (size_t i = 0; i < linked->len; i++)
        spare(b, linked->at[i]);
    for (size_t i = 0; i < but_n; i++) {
        struct client_id id;
        if (client_id_parse(span_str(but_ids[i]), &id) == 0 && beyond_has(b, gateway_of(id)))
            spare(b, gateway_of(id));
    }
}

/* The packet as it would be for that name alone. 0, or < 0 for a name that the caller's own packet
 * could not have carried either. */
static int put_for_name(struct beyond *b, const struct wire_packet *p, const struct reach *reach,
                        struct gw_bytes name)
{
    struct wire_packet one = *p;
    int rc = 0;

    if (p->cmd == CMD_SEND_TO_GROUP)
        rc = command_group(&b->ext, &name, 1, (struct gateway_at){0}, NULL, 0);
    else if (p->cmd == CMD_SEND_TO_UID)
        rc = command_names(&b->ext, &name, 1);
    if (rc == 0 && reach->n > 1)
        one.ext = buf_span(&b->ext);
    wire_put(&b->text, &one);
    return rc;
}

static bool is_spared(const struct beyond *b, struct gateway_at at)
{
    return envelope_spares(&(struct envelope){.spared = buf_span(&b->spared)}, at);
}

/* To a gateway that may not have subscribed yet; it is spared afterwards. */
static int publish_apart(struct beyond *b, struct gateway_at at, const struct reach *reach,
                         const struct wire_packet *p, struct gw_bytes name)
{
    char subject[SUBJECT_MAX];

    buf_clear(&b->text);
    envelope_put(&b->text, &(struct envelope){.kind = ENVELOPE_ORDER});
    int rc = put_for_name(b, p, reach, name);
    subject_at(b->conf->name, at, subject);
    spare(b, at);
    return rc < 0 ? rc : publish(b, subject, false);
}

static int publish_name(struct beyond *b, const struct reach *reach, const struct wire_packet *p,
                        struct gw_bytes name)
{
    uint64_t now_ms = loop_now_ms(b->loop);
    struct span text = span_of(name.data, name.len);
    size_t spared_len = b->spared.len;
    char subject[SUBJECT_MAX];
    struct gateway_at at;
    size_t pos = 0;
    int first = 0;

    while (recent_next(&b->recent, &pos, reach->kind, text, now_ms, &at))
        if (!is_spared(b, at) && first == 0)
            first = publish_apart(b, at, reach, p, name);
    begin_order(b, 0);
    int rc = put_for_name(b, p, reach, name);
    subject_name(b->conf->name, reach->kind == INTEREST_GROUPS ? SUBJECT_GROUP : SUBJECT_UID, text,
                 subject);
    if (rc == 0)
        rc = publish(b, subject, false);
    b->spared.len = spared_len;
    return first < 0 ? first : rc;
}

static int publish_names(struct beyond *b, const struct reach *reach, const struct wire_packet *p)
{
    int first = 0;

    for (size_t i = 0; i < reach->n; i++) {
        int rc = publish_name(b, reach, p, reach->names[i]);
        if (rc < 0 && first == 0)
            first = rc;
    }
    return first;
}

static bool goes_by_name(const struct beyond *b, const struct reach *reach)
{
    return reach && reach->n <= SPLIT_NAMES_MAX &&
           !recent_is_overflown(&b->recent, loop_now_ms(b->loop));
}

int beyond_publish(struct beyond *b, const struct reach *reach, const struct wire_packet *p,
                   const char *const *but_ids, size_t but_n)
{
    char subject[SUBJECT_MAX];

    spare_all(b, but_ids, but_n);
    if (goes_by_name(b, reach))
        return publish_names(b, reach, p);
    begin_order(b, 0);
    wire_put(&b->text, p);
    subject_all(b->conf->name, subject);
    return publish(b, subject, false);
}

/* ---- asking ---- */

static uint64_t key_of(uint32_t question, struct gateway_at at)
{
    return (uint64_t)question << 48 | gateway_at_key(at);
}

/* Out of the table; the slot is for the caller to end. */
static struct asked *take(struct beyond *b, uint64_t key)
{
    return idmap_remove(b->asked, key);
}

static void fail(struct asked *a, int rc)
{
    query_fail(&a->line, rc);
    mem_free(a);
}

static void on_late(struct query_slot *slot, void *owner)
{
    struct asked *a = owner;

    (void)take(a->beyond, a->key);
    fail(a, GW_ETIMEOUT);
}

static void expect(struct beyond *b, uint32_t question, struct fanout_target *t, struct query *q)
{
    struct asked *a = mem_zalloc(sizeof *a);

    *a = (struct asked){.beyond = b, .at = t->at, .key = key_of(question, t->at)};
    list_init(&a->line);
    struct query_slot *slot = query_expect(q, t, &a->line);
    slot->on_late = on_late;
    slot->owner = a;
    idmap_set(b->asked, a->key, a);
}

static bool is_owed(const struct beyond *b, uint32_t question, const struct fanout_target *targets,
                    size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (idmap_get(b->asked, key_of(question, targets[i].at)))
            return true;
    return false;
}

/* From 1 on, without those that one of the targets still owes an answer to: one that is stuck may
 * do so while 65,535 others are asked. 0: it owes them all. */
static uint32_t next_question(struct beyond *b, const struct fanout_target *targets, size_t n)
{
    for (int i = 0; i < UINT16_MAX; i++) {
        b->last_question = b->last_question == UINT16_MAX ? 1 : (uint16_t)(b->last_question + 1);
        if (!is_owed(b, b->last_question, targets, n))
            return b->last_question;
    }
    return 0;
}

static bool is_to_ask(const struct beyond *b, const struct fanout_target *t)
{
    return t->rc >= 0 && !t->is_silent && !gateways_find(b->gateways, t->at) &&
           beyond_has(b, t->at);
}

static int put_question(struct beyond *b, const char *subject, uint32_t question, struct span ahead,
                        const struct wire_packet *p)
{
    if (!bus_is_up(b->bus))
        return GW_ENOGATEWAY;
    if (question == 0)
        return GW_EFULL;
    begin_order(b, question);
    buf_put_span(&b->text, ahead);
    wire_put(&b->text, p);
    return publish(b, subject, true);
}

static void ask_one(struct beyond *b, const struct wire_packet *p, struct query *q,
                    struct fanout_target *t, struct span ahead)
{
    char subject[SUBJECT_MAX];
    uint32_t question = next_question(b, t, 1);

    buf_clear(&b->spared);
    subject_at(b->conf->name, t->at, subject);
    t->rc = put_question(b, subject, question, ahead, p);
    if (t->rc == 0)
        expect(b, question, t, q);
}

/* Targets with words of their own in front are asked by themselves, and spared here. */
static void ask_all(struct beyond *b, const struct wire_packet *p, struct query *q,
                    struct fanout *f)
{
    char subject[SUBJECT_MAX];
    uint32_t question = next_question(b, f->targets, f->n);

    spare_all(b, NULL, 0);
    for (size_t i = 0; i < f->n; i++)
        if (f->targets[i].ahead.len > 0)
            spare(b, f->targets[i].at);
    subject_all(b->conf->name, subject);
    int rc = put_question(b, subject, question, buf_span(&f->ahead), p);
    for (size_t i = 0; i < f->n; i++) {
        struct fanout_target *t = &f->targets[i];
        if (t->ahead.len > 0 || !is_to_ask(b, t))
            continue;
        t->rc = rc;
        if (rc == 0)
            expect(b, question, t, q);
    }
}

void beyond_ask(struct beyond *b, const struct wire_packet *p, struct query *q, struct fanout *f)
{
    struct fanout_target *last = NULL;
    size_t many_n = 0;

    for (size_t i = 0; i < f->n; i++) {
        struct fanout_target *t = &f->targets[i];
        if (!is_to_ask(b, t))
            continue;
        if (t->ahead.len > 0) {
            ask_one(b, p, q, t, buf_span(&t->ahead));
        } else {
            last = t;
            many_n++;
        }
    }
    if (many_n == 1)
        ask_one(b, p, q, last, buf_span(&f->ahead));
    else if (many_n > 1)
        ask_all(b, p, q, f);
}

/* What the answer ends with may be that the coroutine goes on, and asks again. */
static void take_answer(struct beyond *b, const struct envelope *e)
{
    uint64_t key = key_of(e->question, e->at);
    struct asked *a = idmap_get(b->asked, key);
    struct wire_packet p;

    if (!a || wire_decode(e->rest, e->rest.len, &p) <= 0 || p.cmd != CMD_REPLY)
        return; /* its deadline has passed */
    if (p.flag & WIRE_MORE) {
        query_part(&a->line, p.body);
        return;
    }
    (void)take(b, key);
    if (p.flag & WIRE_SCALAR && p.body.len == 0)
        query_fail(&a->line, GW_ETOOBIG);
    else
        query_answer(&a->line, p.body);
    mem_free(a);
}

/* ---- what NATS tells ---- */

static void on_message(void *owner, const char *reply, struct span data)
{
    struct beyond *b = owner;
    struct envelope e;

    if (!envelope_read(data, &e))
        return; /* gateways tell of strangers on these subjects */
    if (e.kind == ENVELOPE_ANSWER) {
        take_answer(b, &e);
    } else if (e.kind == ENVELOPE_HERE || e.kind == ENVELOPE_LEFT) {
        size_t before_n = b->presence.book.len;
        presence_hear(&b->presence, &e, loop_now_ms(b->loop));
        b->is_book_old = b->is_book_old || b->presence.book.len != before_n;
    }
}

static void ask_who_is_there(struct beyond *b)
{
    char subject[SUBJECT_MAX];

    buf_clear(&b->text);
    envelope_put(&b->text, &(struct envelope){.kind = ENVELOPE_WHO});
    subject_all(b->conf->name, subject);
    if (publish(b, subject, false) < 0)
        return; /* told by the bus; they announce themselves every two seconds anyway */
}

static void on_up(void *owner, bool is_fresh)
{
    struct beyond *b = owner;
    char subject[SUBJECT_MAX];

    if (is_fresh) {
        subject_parts(b->conf->name, subject);
        bus_subscribe(b->bus, subject);
        bus_subscribe(b->bus, b->inbox);
    }
    b->up_ms = loop_now_ms(b->loop);
    presence_excuse(&b->presence, b->up_ms);
    ask_who_is_there(b);
}

static void on_down(void *owner)
{
}

static void on_room(void *owner)
{
    struct beyond *b = owner;
    struct list ready;

    list_init(&ready);
    list_take_all(&ready, &b->stalled);
    while (!list_is_empty(&ready)) {
        struct stall *s = CONTAINER_OF(ready.next, struct stall, node);
        list_remove(&s->node);
        fibers_resume(b->fibers, s->co);
    }
}

static const struct bus_events events = {
    .on_up = on_up, .on_down = on_down, .on_message = on_message, .on_room = on_room};

/* Who waits for its answer need not wait for the deadline. */
static void on_gone(void *owner, struct gateway_at at)
{
    struct beyond *b = owner;
    struct vec lost = {0};
    size_t pos = 0;
    uint64_t key;
    void *asked;

    b->is_book_old = true;
    while (idmap_next(b->asked, &pos, &key, &asked))
        if (gateway_at_eq(((struct asked *)asked)->at, at))
            vec_push(&lost, asked);
    for (size_t i = 0; i < lost.len; i++)
        (void)take(b, ((struct asked *)lost.at[i])->key);
    for (size_t i = 0; i < lost.len; i++)
        fail(lost.at[i], GW_ECLOSED);
    vec_fini(&lost);
}

/* While NATS is away nobody can be heard, and who could be gone is not. */
static void on_look(struct timer *t)
{
    struct beyond *b = CONTAINER_OF(t, struct beyond, look);
    uint64_t now_ms = loop_now_ms(b->loop);

    if (bus_is_up(b->bus))
        presence_look(&b->presence, now_ms);
    else
        presence_excuse(&b->presence, now_ms);
    timer_start(b->loop, t, LOOK_MS);
}

/* ---- back-pressure ---- */

void beyond_make_room(struct beyond *b)
{
    struct stall stall = {.co = fibers_self(b->fibers)};

    while (bus_is_full(b->bus)) {
        list_append(&b->stalled, &stall.node);
        fibers_wait(b->fibers);
    }
}

bool beyond_is_flushed(struct beyond *b)
{
    return bus_is_flushed(b->bus);
}

/* ---- telling ---- */

void beyond_status(struct beyond *b, struct role_status *out)
{
    bus_status(b->bus, out);
    out->beyond_n = beyond_book(b)->far_n;
}

/* ---- the beginning and the end ---- */

struct beyond *beyond_new(const struct role_env *env, const struct gateways *gateways,
                          struct fibers *fibers)
{
    const struct cluster_conf *conf = cluster_conf_of(env->conf);
    uint64_t inbox_id;

    if (!conf)
        return NULL;
    struct beyond *b = mem_zalloc(sizeof *b);
    *b = (struct beyond){.loop = env->loop,
                         .gateways = gateways,
                         .fibers = fibers,
                         .conf = conf,
                         .is_book_old = true,
                         .asked = idmap_new(),
                         .began_ms = loop_now_ms(env->loop),
                         .look.fire = on_look};
    list_init(&b->stalled);
    presence_init(&b->presence, on_gone, b);
    crypto_random(&inbox_id, sizeof inbox_id);
    subject_inbox(conf->name, inbox_id, b->inbox);
    cluster_conf_nats(conf, env, b->label, &b->nats);
    b->bus = bus_open(env->loop, &b->nats, &events, b);
    if (!b->bus)
        log_fatal("cannot start the connection to NATS: %s", gw_strerror(-errno));
    timer_start(b->loop, &b->look, LOOK_MS);
    return b;
}

static void free_now(struct task *t)
{
    struct beyond *b = CONTAINER_OF(t, struct beyond, ending);
    size_t pos = 0;
    uint64_t key;
    void *asked;

    bus_close(b->bus);
    timer_stop(b->loop, &b->look);
    while (idmap_next(b->asked, &pos, &key, &asked))
        mem_free(asked);
    idmap_free(b->asked);
    presence_fini(&b->presence);
    addr_book_fini(&b->book);
    buf_fini(&b->spared);
    buf_fini(&b->text);
    buf_fini(&b->ext);
    mem_free(b);
}

/* Not at once: a callback that an answer of NATS has woken may be what ends the process. */
void beyond_end(struct beyond *b)
{
    if (!b)
        return;
    b->ending.run = free_now;
    loop_at_end(b->loop, &b->ending);
}
