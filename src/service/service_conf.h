/* The keys of a [service] section. */
#ifndef SERVICE_SERVICE_CONF_H
#define SERVICE_SERVICE_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "chan/door.h"
#include "mesh/registries.h"
#include "module/module_conf.h"
#include "net/tls_conf.h"

struct service_conf {
    struct conf_list listen;
    int64_t count;
    const char *name;
    const char *user;
    const char *module_file;
    struct module_conf module;
    struct tls_conf tls;
    struct door_conf door;
    uint64_t max_message_bytes;
    uint64_t max_head_bytes;
    int64_t max_frames_per_message;
    uint64_t send_buffer_size;
    int64_t max_connections;
    uint64_t handshake_timeout_ms;
    uint64_t close_timeout_ms;
    uint64_t keep_alive_timeout_ms;
    uint64_t request_timeout_ms;
    uint64_t send_timeout_ms;
    uint64_t drain_timeout_ms;
    struct registries_conf registries;
};

extern const struct conf_table service_table;

/* Schemes of `listen`, ended by NULL. */
extern const char *const service_schemes[];
enum { SERVICE_HTTP = 4, SERVICE_UDP = 5 }; /* positions in it */

/* The name in status and logs: the key, else the section's name, else "service". */
const char *service_name_of(const struct conf_section *s);
int service_check(const struct conf *conf, const struct conf_section *s,
                  struct buf *errors) NODISCARD;

#endif
