/* Set aside first, acknowledged second: a crash in between repeats an order, and loses none. */
#include "queue/intake.h"

#include <stdio.h>
#include <string.h>

#include <gw/json.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"

static char *joined(const char *first, const char *between, const char *last)
{
    struct buf text = {0};

    buf_printf(&text, "%s%s%s", first, between, last);
    char *out = mem_strdup(buf_cstr(&text));
    buf_fini(&text);
    return out;
}

void intake_init(struct intake *in, const struct queue_conf *conf, struct redis *redis,
                 uint64_t timeout_ms, const char *consumer)
{
    *in = (struct intake){.conf = conf,
                          .kind = conf->type == QUEUE_LIST ? &intake_list : &intake_stream,
                          .redis = redis,
                          .timeout_ms = timeout_ms,
                          .consumer = mem_strdup(consumer),
                          .is_dirty = true};
    in->in_hand_key = joined(conf->key, ":processing:", consumer);
    in->failed_key =
        conf->failed_key ? mem_strdup(conf->failed_key) : joined(conf->key, ":", "failed");
    in->taken = mem_alloc((size_t)conf->batch * sizeof *in->taken);
}

static void forget_batch(struct intake *in)
{
    for (size_t i = 0; i < in->replies.len; i++)
        gw_reply_free(in->replies.at[i]);
    in->replies.len = 0;
    in->n = 0;
}

/* ---- for the kinds ---- */

void intake_keep(struct intake *in, struct gw_reply *reply)
{
    if (reply)
        vec_push(&in->replies, reply);
}

int intake_call(struct intake *in, uint64_t ms, size_t n, const struct gw_bytes *words,
                const struct gw_reply **out)
{
    static struct log_rate rate;
    struct gw_reply *reply;
    int rc = redis_call(in->redis, ms, n, words, &reply);

    intake_keep(in, reply);
    *out = reply;
    if (rc < 0 || reply->type != GW_REPLY_ERROR)
        return rc;
    log_limited(&rate, LOG_WARN, "queue %s: Redis refuses %s: %s", in->conf->key, words[0].data,
                reply->text.data);
    return GW_EREFUSED;
}

void intake_add(struct intake *in, struct gw_bytes id, struct gw_bytes text)
{
    if (in->n < (size_t)in->conf->batch)
        in->taken[in->n++] = (struct taken){.id = id, .text = text};
}

/* ---- setting aside ---- */

/* {"reason":"…","time":"2026-11-20 12:00:00","order":"…"}; bytes that are not UTF-8, which JSON
 * cannot carry, as order_base64. */
static char *failure_of(const struct taken *t)
{
    char now[24];
    struct gw_json *out = gw_json_object();
    struct gw_json *text = gw_json_from_strn(t->text);

    clock_text(clock_wall_s(), now, sizeof now);
    gw_json_set_str(out, "reason", t->reason);
    gw_json_set_str(out, "time", now);
    if (text)
        gw_json_set(out, "order", text);
    else {
        size_t size = t->text.len / 3 * 4 + 8;
        char *base64 = mem_alloc(size);
        crypto_base64(span_of(t->text.data, t->text.len), base64, size);
        gw_json_set_str(out, "order_base64", base64);
        mem_free(base64);
    }
    char *line = gw_json_dump(out, GW_JSON_PLAIN, NULL);
    gw_json_free(out);
    return line;
}

static int set_aside(struct intake *in, struct taken *t)
{
    char keep[24];
    const struct gw_reply *reply;
    char *line = failure_of(t);
    const struct gw_bytes push[] = {gw_str("RPUSH"), gw_str(in->failed_key), gw_str(line)};
    int rc = intake_call(in, in->timeout_ms, ARRAY_LEN(push), push, &reply);

    gw_free(line);
    if (rc < 0)
        return rc;
    t->is_failed = false; /* from here on it is acknowledged like the others */
    snprintf(keep, sizeof keep, "-%lld", (long long)in->conf->failed_max);
    const struct gw_bytes trim[] = {gw_str("LTRIM"), gw_str(in->failed_key), gw_str(keep),
                                    gw_str("-1")};
    return reply->number > in->conf->failed_max ? redis_tell(in->redis, ARRAY_LEN(trim), trim) : 0;
}

/* ---- a batch ---- */

int intake_take(struct intake *in, uint64_t now_ms)
{
    forget_batch(in);
    return in->kind->take(in, now_ms);
}

int intake_settle(struct intake *in)
{
    int rc = 0;

    for (size_t i = 0; i < in->n && rc == 0; i++)
        if (in->taken[i].is_failed)
            rc = set_aside(in, &in->taken[i]);
    return rc == 0 && in->n > 0 ? in->kind->acknowledge(in) : rc;
}
