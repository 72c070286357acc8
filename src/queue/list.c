/* A list: orders move to a list of our own while they are in hand, and are removed from it when
 * they are done (https://redis.io/commands/lmove, "reliable queue"). What lies there at the start
 * was in hand when this consumer ended, and is carried out first. */
#include "queue/intake.h"

#include <stdio.h>

#include "base/mem.h"

static bool is_text(const struct gw_reply *r)
{
    return r && r->type == GW_REPLY_TEXT;
}

static int take_leftovers(struct intake *in)
{
    char last[24];
    const struct gw_reply *reply;
    const struct gw_bytes none = {0};

    snprintf(last, sizeof last, "%lld", (long long)in->conf->batch - 1);
    const struct gw_bytes words[] = {gw_str("LRANGE"), gw_str(in->in_hand_key), gw_str("0"),
                                     gw_str(last)};
    int rc = intake_call(in, in->timeout_ms, ARRAY_LEN(words), words, &reply);
    for (size_t i = 0; rc == 0 && i < reply->n; i++)
        intake_add(in, none, reply->items[i].text);
    if (rc == 0 && reply->n == 0)
        in->is_dirty = false;
    return rc;
}

/* Waits for one. */
static int take_first(struct intake *in)
{
    char seconds[24];
    const struct gw_reply *reply;
    const struct gw_bytes none = {0};

    snprintf(seconds, sizeof seconds, "%d.%03d", INTAKE_BLOCK_MS / 1000, INTAKE_BLOCK_MS % 1000);
    const struct gw_bytes words[] = {gw_str("BLMOVE"),        gw_str(in->conf->key),
                                     gw_str(in->in_hand_key), gw_str("LEFT"),
                                     gw_str("RIGHT"),         gw_str(seconds)};
    int rc = intake_call(in, INTAKE_BLOCK_MS + in->timeout_ms, ARRAY_LEN(words), words, &reply);
    if (rc == 0 && is_text(reply))
        intake_add(in, none, reply->text);
    return rc;
}

/* As many more as there are, without waiting for any. */
static int take_more(struct intake *in)
{
    const struct gw_reply *len;
    const struct gw_bytes none = {0};
    const struct gw_bytes ask[] = {gw_str("LLEN"), gw_str(in->conf->key)};
    const struct gw_bytes words[] = {gw_str("LMOVE"), gw_str(in->conf->key),
                                     gw_str(in->in_hand_key), gw_str("LEFT"), gw_str("RIGHT")};
    int rc = intake_call(in, in->timeout_ms, ARRAY_LEN(ask), ask, &len);
    int64_t room = in->conf->batch - (int64_t)in->n;

    if (rc < 0 || len->number == 0 || room == 0)
        return rc;
    size_t n = (size_t)(len->number < room ? len->number : room);
    struct redis_command *commands = mem_alloc(n * sizeof *commands);
    for (size_t i = 0; i < n; i++)
        commands[i] = (struct redis_command){.argc = ARRAY_LEN(words), .argv = words};
    rc = redis_call_all(in->redis, in->timeout_ms, commands, n);
    for (size_t i = 0; i < n; i++) {
        intake_keep(in, commands[i].reply);
        if (is_text(commands[i].reply))
            intake_add(in, none, commands[i].reply->text);
    }
    mem_free(commands);
    return rc;
}

static int take(struct intake *in, uint64_t now_ms)
{
    int rc = in->is_dirty ? take_leftovers(in) : 0;

    if (rc < 0 || in->n > 0)
        return rc;
    rc = take_first(in);
    if (rc == 0 && in->n > 0)
        rc = take_more(in);
    if (rc < 0)
        in->is_dirty = true; /* Redis may have moved what we never saw */
    return in->n > 0 ? 0 : rc;
}

static int acknowledge(struct intake *in)
{
    struct gw_bytes(*words)[4] = mem_alloc(in->n * sizeof *words);
    struct redis_command *commands = mem_alloc(in->n * sizeof *commands);
    size_t *places = mem_alloc(in->n * sizeof *places);
    size_t n = 0;

    for (size_t i = 0; i < in->n; i++) {
        if (in->taken[i].is_settled)
            continue;
        words[n][0] = gw_str("LREM");
        words[n][1] = gw_str(in->in_hand_key);
        words[n][2] = gw_str("1");
        words[n][3] = in->taken[i].text;
        commands[n] = (struct redis_command){.argc = 4, .argv = words[n]};
        places[n++] = i;
    }
    int rc = redis_call_all(in->redis, in->timeout_ms, commands, n);
    for (size_t i = 0; i < n; i++) {
        const struct gw_reply *reply = commands[i].reply;
        in->taken[places[i]].is_settled = reply && reply->type == GW_REPLY_INT;
        if (rc == 0 && !in->taken[places[i]].is_settled)
            rc = GW_EREFUSED; /* Redis cannot write now: its disk is full, it is a replica… */
        gw_reply_free(reply);
    }
    mem_free(places);
    mem_free(commands);
    mem_free(words);
    return rc;
}

const struct intake_kind intake_list = {.take = take, .acknowledge = acknowledge};
