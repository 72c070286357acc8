/* The table of a queue's keys, and what a table cannot say about them. */
#include "queue/queue_conf.h"

#include <stddef.h>
#include <string.h>

#include <gw/err.h>

#include "store/store.h"

#define QUEUE_KEY(key_name, key_type, field_name, ...)                                             \
    {                                                                                              \
        .name = key_name, .type = key_type, .offset = offsetof(struct queue_conf, field_name),     \
        __VA_ARGS__                                                                                \
    }

static const struct conf_key keys[] = {
    QUEUE_KEY("redis", CONF_STR, redis, .def = "redis://127.0.0.1:6379/0",
              .meaning = "Where the orders lie: redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or "
                         "redis+unix://PATH. Redis 6.2 or later."),
    QUEUE_KEY("key", CONF_STR, key, .def = "push:orders",
              .meaning = "Key of the list or stream that applications write orders to."),
    QUEUE_KEY("type", CONF_ENUM, type, .def = "list", .choices = "list|stream",
              .meaning = "What the key is: a list (RPUSH) or a stream (XADD)."),
    QUEUE_KEY("group", CONF_STR, group, .def = "gatehouse",
              .meaning = "Streams: the consumer group, made if it is not there."),
    QUEUE_KEY("field", CONF_STR, field, .def = "order",
              .meaning = "Streams: the field of an entry that holds the order."),
    QUEUE_KEY("consumer", CONF_STR, consumer,
              .meaning = "What this consumer calls itself, the number of the process is added. The "
                         "same after a restart and nobody else's: what it had in hand is found by "
                         "it. Host and section names when unset."),
    QUEUE_KEY("batch", CONF_INT, batch, .def = "100", .min = 1, .max = 1000,
              .meaning = "Orders taken at once at most."),
    QUEUE_KEY("tries", CONF_INT, tries, .def = "5", .min = 1, .max = 1000,
              .meaning = "An order that could not be carried out so often is set aside."),
    QUEUE_KEY("retry", CONF_SECONDS, retry_ms, .def = "1", .min = 10, .max = 3600000, .unit = "s",
              .meaning = "Pause before an order is tried again."),
    QUEUE_KEY("visibility", CONF_SECONDS, visibility_ms, .def = "60", .min = 1000, .max = 86400000,
              .unit = "s",
              .meaning = "Streams: an order that another consumer took so long ago and never "
                         "acknowledged is taken over."),
    QUEUE_KEY("delete", CONF_BOOL, is_deleting, .def = "true",
              .meaning =
                  "Streams: entries are deleted once they are acknowledged; false when other "
                  "groups read them too."),
    QUEUE_KEY("failed_key", CONF_STR, failed_key,
              .meaning = "List that wrong orders are set aside in, with the reason; the key with "
                         "\":failed\" when unset."),
    QUEUE_KEY("failed_max", CONF_INT, failed_max, .def = "1000", .min = 1, .max = 1000000,
              .meaning = "How many of them are kept; the oldest go."),
    REGISTRIES_CONF_KEYS(struct queue_conf, registries, REGISTRIES_DEFAULT,
                         "A registry that tells where the gateways are."),
    QUEUE_KEY("send_to_gateway_buffer_size", CONF_SIZE, send_to_gateway_buffer_size,
              .def = "10240000", .min = 64 << 10, .max = INT64_C(4) << 30, .unit = "bytes",
              .meaning = "Bytes waiting for one gateway from which on no more orders are taken."),
    QUEUE_KEY("count", CONF_INT, count, .def = "1", .min = 1, .max = 64,
              .meaning = "Number of processes that share the work; with several, orders may "
                         "overtake one another."),
    QUEUE_KEY("name", CONF_STR, name,
              .meaning = "Name in status and process titles; the section's name when unset."),
    QUEUE_KEY("user", CONF_STR, user, .meaning = "User to become before orders are read."),
};

const struct conf_table queue_table = {
    .kind = "queue",
    .meaning = "Carries out push orders that other applications write into Redis.",
    .keys = keys,
    .keys_n = ARRAY_LEN(keys),
    .conf_bytes = sizeof(struct queue_conf),
};

static int check_redis(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct queue_conf *c = s->conf;
    struct buf why = {0};
    int rc = store_check_url(c->redis, &why);

    if (rc == 0 && strncmp(c->redis, "redis", 5) != 0) {
        buf_puts(&why, "orders come from Redis only");
        rc = GW_ECONF;
    }
    if (rc < 0)
        conf_complain(conf, s, "redis", errors, "%s", buf_cstr(&why));
    buf_fini(&why);
    return rc;
}

int queue_check(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct queue_conf *c = s->conf;
    int rc = check_redis(conf, s, errors);

    if (registries_check(conf, s, &c->registries, errors) < 0)
        rc = GW_ECONF;
    return rc;
}
