/* Fields are a hash, lists are lists: https://redis.io/commands. */
#include "store/redis_ops.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/part.h"

enum { WORDS_MAX = 4, NUMBER_MAX = 24 };

struct command {
    struct gw_bytes words[WORDS_MAX];
    size_t n;
    char number[NUMBER_MAX];
};

static void put(struct command *c, struct gw_bytes word)
{
    c->words[c->n++] = word;
}

static void put_number(struct command *c, int64_t number)
{
    snprintf(c->number, sizeof c->number, "%" PRId64, number);
    put(c, gw_str(c->number));
}

static void write_command(struct command *c, const struct store_op *op)
{
    static const char *const names[] = {
        [STORE_INCR] = "HINCRBY", [STORE_SET] = "HSET",     [STORE_GET] = "HGET",
        [STORE_COUNT] = "HLEN",   [STORE_APPEND] = "RPUSH", [STORE_LAST] = "LRANGE",
    };

    *c = (struct command){0};
    put(c, gw_str(names[op->verb]));
    put(c, op->key);
    if (op->verb == STORE_INCR || op->verb == STORE_SET || op->verb == STORE_GET)
        put(c, op->field);
    if (op->verb == STORE_SET || op->verb == STORE_APPEND)
        put(c, op->value);
    if (op->verb == STORE_INCR)
        put_number(c, op->number);
    if (op->verb == STORE_LAST) {
        put_number(c, -op->number);
        put(c, gw_str("-1"));
    }
}

static int read_reply(const struct store_url *url, const struct gw_reply *r, struct store_op *op)
{
    static struct log_rate rate;

    switch (r->type) {
    case GW_REPLY_INT:
        op->result = r->number;
        return 0;
    case GW_REPLY_TEXT:
        part_put(&op->records, span_of(r->text.data, r->text.len));
        return 0;
    case GW_REPLY_ARRAY:
        for (size_t i = 0; i < r->n; i++)
            part_put(&op->records, span_of(r->items[i].text.data, r->items[i].text.len));
        return 0;
    case GW_REPLY_NULL:
        return GW_ENOTFOUND;
    default:
        log_limited(&rate, LOG_WARN, "store %s refuses: %s", url->shown, r->text.data);
        return GW_EREFUSED;
    }
}

/* RPUSH told the length, so only a list that is too long costs a second command. Nobody waits for
 * it: should it get lost, the next one trims. */
static void trim(struct redis *r, const struct store_op *op)
{
    char from[NUMBER_MAX];

    snprintf(from, sizeof from, "%" PRId64, -op->number);
    const struct gw_bytes words[] = {gw_str("LTRIM"), op->key, gw_str(from), gw_str("-1")};
    if (redis_tell(r, ARRAY_LEN(words), words) < 0)
        return;
}

int redis_ops_call(struct redis *r, const struct store_url *url, struct store_op *op)
{
    struct command c;
    struct gw_reply *reply;

    if (op->verb == STORE_LAST && op->number == 0)
        return 0; /* -0 would be the whole list */
    write_command(&c, op);
    int rc = redis_call(r, url->timeout_ms, c.n, c.words, &reply);
    if (rc == 0)
        rc = read_reply(url, reply, op);
    if (rc == 0 && op->verb == STORE_APPEND && op->result > op->number)
        trim(r, op);
    gw_reply_free(reply);
    return rc;
}
