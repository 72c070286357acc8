/* A stream with a consumer group: what was delivered to us and not acknowledged stays ours
 * (https://redis.io/commands/xreadgroup), what others left behind is taken over after a while. */
#include "queue/intake.h"

#include <stdio.h>
#include <string.h>

static int prepare(struct intake *in)
{
    struct gw_reply *reply;
    const struct gw_bytes words[] = {gw_str("XGROUP"),      gw_str("CREATE"),
                                     gw_str(in->conf->key), gw_str(in->conf->group),
                                     gw_str("0"),           gw_str("MKSTREAM")};
    int rc = redis_call(in->redis, in->timeout_ms, ARRAY_LEN(words), words, &reply);

    intake_keep(in, reply);
    if (rc == 0 && reply->type == GW_REPLY_ERROR && strncmp(reply->text.data, "BUSYGROUP", 9) != 0)
        rc = GW_EREFUSED;
    in->is_prepared = rc == 0;
    return rc;
}

/* ---- entries ---- */

/* The value of the field that holds the order; {NULL, 0} without one. */
static struct gw_bytes order_in(const struct intake *in, const struct gw_reply *fields)
{
    for (size_t i = 0; i + 1 < fields->n; i += 2)
        if (strcmp(fields->items[i].text.data, in->conf->field) == 0)
            return fields->items[i + 1].text;
    return (struct gw_bytes){0};
}

/* [[id, [field, value, …]], …]; the fields of an entry that was deleted meanwhile are nil. */
static void add_entries(struct intake *in, const struct gw_reply *entries)
{
    for (size_t i = 0; i < entries->n; i++) {
        const struct gw_reply *e = &entries->items[i];
        if (e->n != 2 || in->n == (size_t)in->conf->batch)
            continue;
        intake_add(in, e->items[0].text, order_in(in, &e->items[1]));
        struct taken *t = &in->taken[in->n - 1];
        if (t->text.data)
            continue;
        t->is_failed = e->items[1].type == GW_REPLY_ARRAY;
        snprintf(t->reason, sizeof t->reason, "the entry has no field \"%.40s\"", in->conf->field);
    }
}

/* from ">": new ones, waiting for them; from "0": what was delivered to us before. */
static int read_entries(struct intake *in, const char *from)
{
    char count[24];
    char block[24];
    const struct gw_reply *reply;
    bool is_waiting = from[0] == '>';

    snprintf(count, sizeof count, "%lld", (long long)in->conf->batch);
    snprintf(block, sizeof block, "%d", INTAKE_BLOCK_MS);
    const struct gw_bytes words[] = {
        gw_str("XREADGROUP"),  gw_str("GROUP"), gw_str(in->conf->group),
        gw_str(in->consumer),  gw_str("COUNT"), gw_str(count),
        gw_str("BLOCK"),       gw_str(block),   gw_str("STREAMS"),
        gw_str(in->conf->key), gw_str(from)};
    uint64_t ms = in->timeout_ms + (is_waiting ? INTAKE_BLOCK_MS : 0);
    int rc = intake_call(in, ms, ARRAY_LEN(words), words, &reply);
    /* [[key, entries]], or nil when nothing came in time */
    if (rc == 0 && reply->n == 1 && reply->items[0].n == 2)
        add_entries(in, &reply->items[0].items[1]);
    return rc;
}

/* ---- what others left ---- */

/* [[id, consumer, idle, deliveries]] */
static int count_deliveries(struct intake *in, struct taken *t)
{
    const struct gw_reply *reply;
    const struct gw_bytes words[] = {
        gw_str("XPENDING"), gw_str(in->conf->key), gw_str(in->conf->group), t->id, t->id,
        gw_str("1")};
    int rc = intake_call(in, in->timeout_ms, ARRAY_LEN(words), words, &reply);

    if (rc < 0 || reply->n != 1 || reply->items[0].n != 4)
        return rc;
    int64_t deliveries_n = reply->items[0].items[3].number;
    if (deliveries_n > in->conf->tries && t->text.data) {
        t->is_failed = true;
        snprintf(t->reason, sizeof t->reason, "taken %lld times and never finished",
                 (long long)deliveries_n);
    }
    return 0;
}

static int check_deliveries(struct intake *in)
{
    int rc = 0;

    for (size_t i = 0; i < in->n && rc == 0; i++)
        rc = count_deliveries(in, &in->taken[i]);
    return rc;
}

static int take_over(struct intake *in)
{
    char idle[24];
    char count[24];
    const struct gw_reply *reply;

    snprintf(idle, sizeof idle, "%llu", (unsigned long long)in->conf->visibility_ms);
    snprintf(count, sizeof count, "%lld", (long long)in->conf->batch);
    const struct gw_bytes words[] = {
        gw_str("XAUTOCLAIM"), gw_str(in->conf->key), gw_str(in->conf->group), gw_str(in->consumer),
        gw_str(idle),         gw_str("0-0"),         gw_str("COUNT"),         gw_str(count)};
    int rc = intake_call(in, in->timeout_ms, ARRAY_LEN(words), words, &reply);
    if (rc == 0 && reply->n >= 2) /* [where to go on, entries, ids of deleted ones] */
        add_entries(in, &reply->items[1]);
    return rc;
}

/* ---- a batch ---- */

static int take_leftovers(struct intake *in, uint64_t now_ms)
{
    int rc = 0;

    if (in->is_dirty) {
        rc = read_entries(in, "0");
        in->is_dirty = rc < 0 || in->n > 0;
    }
    if (rc == 0 && in->n == 0 && now_ms - in->claimed_ms >= in->conf->visibility_ms / 2) {
        in->claimed_ms = now_ms;
        rc = take_over(in);
    }
    if (rc == 0 && in->n > 0)
        rc = check_deliveries(in);
    return rc;
}

static int take(struct intake *in, uint64_t now_ms)
{
    int rc = in->is_prepared ? 0 : prepare(in);

    if (rc == 0)
        rc = take_leftovers(in, now_ms);
    if (rc == 0 && in->n == 0)
        rc = read_entries(in, ">");
    /* Whatever was delivered is read again; the group may have gone with its stream. */
    if (rc < 0) {
        in->is_dirty = true;
        in->is_prepared = false;
        in->n = 0;
    }
    return rc;
}

static int settle_ids(struct intake *in, const struct gw_bytes *words, size_t words_n)
{
    const struct gw_reply *reply;

    return intake_call(in, in->timeout_ms, words_n, words, &reply);
}

/* Both commands take many ids, up to what one command may have as words. Deleted first: an entry
 * that is still pending then comes back empty and is acknowledged, while one that is acknowledged
 * and not deleted would stay for ever. */
static int acknowledge_some(struct intake *in, size_t from, size_t n)
{
    enum { ACK_HEAD = 3, DELETE_HEAD = 2, IDS_MAX = 128 };
    struct gw_bytes ack[ACK_HEAD + IDS_MAX] = {gw_str("XACK"), gw_str(in->conf->key),
                                               gw_str(in->conf->group)};
    struct gw_bytes delete[DELETE_HEAD + IDS_MAX] = {gw_str("XDEL"), gw_str(in->conf->key)};

    for (size_t i = 0; i < n; i++)
        ack[ACK_HEAD + i] = delete[DELETE_HEAD + i] = in->taken[from + i].id;
    int rc = in->conf->is_deleting ? settle_ids(in, delete, DELETE_HEAD + n) : 0;
    if (rc == 0)
        rc = settle_ids(in, ack, ACK_HEAD + n);
    for (size_t i = 0; i < n && rc == 0; i++)
        in->taken[from + i].is_settled = true;
    return rc;
}

/* Repeating it after an error does no harm: an id is acknowledged once. */
static int acknowledge(struct intake *in)
{
    enum { AT_ONCE = 128 };
    int rc = 0;

    for (size_t i = 0; i < in->n && rc == 0; i += AT_ONCE)
        rc = acknowledge_some(in, i, in->n - i < AT_ONCE ? in->n - i : AT_ONCE);
    return rc;
}

const struct intake_kind intake_stream = {.take = take, .acknowledge = acknowledge};
