/* The keys of a [worker] section. */
#ifndef WORKER_WORKER_CONF_H
#define WORKER_WORKER_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "mesh/registries.h"
#include "module/module_conf.h"

struct worker_conf {
    int64_t count;
    const char *name;
    const char *user;
    const char *events;
    struct module_conf module;
    struct registries_conf registries;
    uint64_t send_to_gateway_buffer_size;
    uint64_t max_packet_bytes;
};

extern const struct conf_table worker_table;

/* The name in worker keys, status and logs: the key, else the section's name, else "worker". */
const char *worker_name_of(const struct conf_section *s);
int worker_check(const struct conf *conf, const struct conf_section *s,
                 struct buf *errors) NODISCARD;

#endif
