/* The keys of a [queue] section. */
#ifndef QUEUE_QUEUE_CONF_H
#define QUEUE_QUEUE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "mesh/registries.h"

enum queue_type { QUEUE_LIST, QUEUE_STREAM };

struct queue_conf {
    int64_t count;
    const char *name;
    const char *user;
    const char *redis;
    const char *key;
    int type; /* enum queue_type */
    const char *group;
    const char *field;
    const char *consumer;   /* NULL: made of host, section and slot */
    const char *failed_key; /* NULL: the key with ":failed" */
    int64_t failed_max;
    int64_t batch;
    int64_t tries;
    uint64_t retry_ms;
    uint64_t visibility_ms;
    bool is_deleting;
    struct registries_conf registries;
    uint64_t send_to_gateway_buffer_size;
};

extern const struct conf_table queue_table;

int queue_check(const struct conf *conf, const struct conf_section *s,
                struct buf *errors) NODISCARD;

#endif
