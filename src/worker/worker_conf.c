/* The table of a worker's keys, and what a table cannot say about them. */
#include "worker/worker_conf.h"

#include <gw/err.h>

#include "base/span.h"
#include "base/utf8.h"

#define AT(field) offsetof(struct worker_conf, field)

static const struct conf_key keys[] = {
    {.name = "count",
     .type = CONF_INT,
     .offset = AT(count),
     .def = "1",
     .min = 1,
     .max = 1024,
     .meaning = "Number of processes."},
    {.name = "name",
     .type = CONF_STR,
     .offset = AT(name),
     .meaning = "Name in worker keys, status and process titles; the section's name when unset. "
                "Workers of one cluster that run on different hosts may share it."},
    {.name = "user",
     .type = CONF_STR,
     .offset = AT(user),
     .meaning = "User to become before business code runs."},
    {.name = "events",
     .type = CONF_STR,
     .offset = AT(events),
     .meaning = "The business module: a .c file, compiled at start and at reload, or a .so.",
     .is_required = true},
    MODULE_CONF_KEYS(struct worker_conf, module),
    REGISTRIES_CONF_KEYS(struct worker_conf, registries, REGISTRIES_DEFAULT,
                         "A registry that tells where the gateways are."),
    {.name = "send_to_gateway_buffer_size",
     .type = CONF_SIZE,
     .offset = AT(send_to_gateway_buffer_size),
     .def = "10240000",
     .min = 64 << 10,
     .max = INT64_C(4) << 30,
     .unit = "bytes",
     .meaning = "Bytes waiting for one gateway from which on sending callbacks wait."},
    {.name = "max_packet_bytes",
     .type = CONF_SIZE,
     .offset = AT(max_packet_bytes),
     .def = "128m",
     .min = 64 << 10,
     .max = 1 << 30,
     .unit = "bytes",
     .meaning = "Largest packet taken from a gateway: a message with its session."},
};

const struct conf_table worker_table = {
    .kind = "worker",
    .meaning = "Processes that run the business module.",
    .keys = keys,
    .keys_n = ARRAY_LEN(keys),
    .conf_bytes = sizeof(struct worker_conf),
};

const char *worker_name_of(const struct conf_section *s)
{
    const struct worker_conf *c = s->conf;

    if (c->name)
        return c->name;
    return s->name[0] != '\0' ? s->name : "worker";
}

int worker_check(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct worker_conf *c = s->conf;
    int rc = module_conf_check(conf, s, "events", c->events, &c->module, errors);

    if (registries_check(conf, s, &c->registries, errors) < 0)
        rc = GW_ECONF;
    if (!utf8_is_valid(span_str(worker_name_of(s))))
        rc = conf_complain(conf, s, "name", errors, "must be UTF-8: it travels as JSON");
    return rc;
}
