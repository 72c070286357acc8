/* The table of a service's keys, and what a table cannot say about them. */
#include "service/service_conf.h"

#include <gw/err.h>

#include "base/span.h"
#include "proc/listen.h"

#define AT(field) offsetof(struct service_conf, field)

const char *const service_schemes[] = {"websocket", "text", "frame", "tcp", "http", "udp", NULL};

static const struct conf_key keys[] = {
    {.name = "listen",
     .type = CONF_LIST,
     .offset = AT(listen),
     .meaning = "Where clients connect: websocket://, text://, frame://, tcp://, http:// or udp:// "
                "with an address, or with the path of a unix socket (not udp). May be repeated; "
                "without it the service only dials and keeps timers."},
    {.name = "count",
     .type = CONF_INT,
     .offset = AT(count),
     .def = "1",
     .min = 1,
     .max = 1024,
     .meaning = "Number of processes; they share the addresses."},
    {.name = "name",
     .type = CONF_STR,
     .offset = AT(name),
     .meaning = "Name in status and process titles; the section's name when unset."},
    {.name = "user",
     .type = CONF_STR,
     .offset = AT(user),
     .meaning = "User to become before business code runs."},
    {.name = "module",
     .type = CONF_STR,
     .offset = AT(module_file),
     .meaning = "The module: a .c file, compiled at start and at reload, or a .so.",
     .is_required = true},
    MODULE_CONF_KEYS(struct service_conf, module),
    TLS_CONF_KEYS(struct service_conf, tls),
    DOOR_CONF_KEYS(struct service_conf, door),
    {.name = "max_message_bytes",
     .type = CONF_SIZE,
     .offset = AT(max_message_bytes),
     .def = "1m",
     .min = 1,
     .max = (int64_t)1024 * 1024 * 1024,
     .unit = "bytes",
     .meaning = "Largest message, body of a request included; more closes the connection."},
    {.name = "max_head_bytes",
     .type = CONF_SIZE,
     .offset = AT(max_head_bytes),
     .def = "16k",
     .min = 1024,
     .max = (int64_t)1024 * 1024,
     .unit = "bytes",
     .meaning = "Largest head of a request or WebSocket handshake."},
    {.name = "max_frames_per_message",
     .type = CONF_INT,
     .offset = AT(max_frames_per_message),
     .def = "1024",
     .max = INT32_MAX,
     .meaning = "Most fragments of a WebSocket message; 0 for no limit."},
    {.name = "send_buffer_size",
     .type = CONF_SIZE,
     .offset = AT(send_buffer_size),
     .def = "1m",
     .min = 1024,
     .max = (int64_t)1024 * 1024 * 1024,
     .unit = "bytes",
     .meaning = "Bytes that may wait for one client before on_buffer_full."},
    {.name = "max_connections",
     .type = CONF_INT,
     .offset = AT(max_connections),
     .def = "0",
     .max = INT32_MAX,
     .meaning = "Most connections of one process; 0 for no limit."},
    {.name = "handshake_timeout",
     .type = CONF_SECONDS,
     .offset = AT(handshake_timeout_ms),
     .def = "10",
     .min = 100,
     .max = 3600000,
     .unit = "s",
     .meaning = "How long the handshakes of a connection may take."},
    {.name = "close_timeout",
     .type = CONF_SECONDS,
     .offset = AT(close_timeout_ms),
     .def = "5",
     .min = 100,
     .max = 3600000,
     .unit = "s",
     .meaning = "How long a closing connection may take for its last bytes."},
    {.name = "keep_alive_timeout",
     .type = CONF_SECONDS,
     .offset = AT(keep_alive_timeout_ms),
     .def = "60",
     .min = 100,
     .max = 3600000,
     .unit = "s",
     .meaning = "HTTP: how long a connection may wait for its next request."},
    {.name = "request_timeout",
     .type = CONF_SECONDS,
     .offset = AT(request_timeout_ms),
     .def = "30",
     .min = 100,
     .max = 3600000,
     .unit = "s",
     .meaning = "HTTP: how long a request may take from its first byte to its last."},
    {.name = "send_timeout",
     .type = CONF_SECONDS,
     .offset = AT(send_timeout_ms),
     .def = "30",
     .min = 100,
     .max = 3600000,
     .unit = "s",
     .meaning = "HTTP: how long a client may take for 16 KiB of its answer."},
    {.name = "drain_timeout",
     .type = CONF_SECONDS,
     .offset = AT(drain_timeout_ms),
     .def = "5",
     .max = 86400000,
     .unit = "s",
     .meaning = "At reload and stop -g: how long open connections may go on in the old process "
                "before they are closed (WebSocket: 1001). The master's graceful_timeout is the "
                "upper end."},
    REGISTRIES_CONF_KEYS(struct service_conf, registries, NULL,
                         "A registry: makes the Gateway API work in this service."),
};

const struct conf_table service_table = {
    .kind = "service",
    .meaning = "Processes that serve connections of their own with a module, without a gateway.",
    .keys = keys,
    .keys_n = ARRAY_LEN(keys),
    .conf_bytes = sizeof(struct service_conf),
};

const char *service_name_of(const struct conf_section *s)
{
    const struct service_conf *c = s->conf;

    if (c->name)
        return c->name;
    return s->name[0] != '\0' ? s->name : "service";
}

int service_check(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct service_conf *c = s->conf;
    int rc = module_conf_check(conf, s, "module", c->module_file, &c->module, errors);

    if (door_conf_check(conf, s, &c->door, errors) < 0)
        rc = GW_ECONF;
    if (registries_check(conf, s, &c->registries, errors) < 0)
        rc = GW_ECONF;
    return rc;
}
