/* The [web] section: its keys and the struct they fill. */
#ifndef WEB_WEB_CONF_H
#define WEB_WEB_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "chan/door.h"
#include "mesh/registries.h"
#include "net/tls_conf.h"

struct web_conf {
    struct conf_list listen;
    int64_t count;
    const char *root; /* as written: see conf_path() */
    const char *index;
    int64_t cache_seconds;
    const char *csp;
    struct conf_list headers;
    const char *websocket_url;
    int64_t websocket_port;
    uint64_t head_max_bytes;
    uint64_t head_timeout_ms;
    uint64_t keep_alive_timeout_ms;
    uint64_t send_timeout_ms;
    int64_t max_connections;
    /* the HTTP API: see web/api_conf.h for its keys */
    struct registries_conf registries;
    struct conf_list api_origins;
    uint64_t api_max_body_bytes;
    uint64_t body_timeout_ms;
    uint64_t api_timeout_ms;
    int64_t api_max_calls;
    int64_t api_max_batch;
    int64_t api_max_targets;
    int64_t api_max_results;
    const char *metrics; /* path; NULL or "": none are served */
    struct conf_list metrics_allow;
    struct tls_conf tls;
    struct door_conf door;
};

extern const struct conf_table web_conf_table;

/* What the table cannot express: a root that is no folder, headers that are none. 0 or GW_ECONF
 * with a line each in `errors`. */
int web_conf_check(const struct conf *conf, const struct conf_section *s,
                   struct buf *errors) NODISCARD;

#endif
