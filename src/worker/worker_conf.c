/* The table of a worker's keys, and what a table cannot say about them. */
#include "worker/worker_conf.h"

#include <string.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/span.h"
#include "base/utf8.h"
#include "mesh/registries.h"

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
    {.name = "cc",
     .type = CONF_STR,
     .offset = AT(cc),
     .meaning = "Compiler for a .c module; $CC, else cc, gcc or clang when unset."},
    {.name = "cflags",
     .type = CONF_STR,
     .offset = AT(cflags),
     .meaning = "More words for the compiler, as in \"-DDEBUG -lsqlite3\"."},
    {.name = "option",
     .type = CONF_LIST,
     .offset = AT(options),
     .meaning = "A value for the module, as in color=blue: gw_option() reads it. May be repeated."},
    {.name = "register_address",
     .type = CONF_LIST,
     .offset = AT(register_address),
     .def = "127.0.0.1:1236",
     .meaning = "A registry that tells where the gateways are. May be repeated."},
    {.name = "secret_key",
     .type = CONF_STR,
     .offset = AT(secret_key),
     .def = "",
     .meaning = "Key that registry, gateways, workers and client libraries have in common."},
    {.name = "insecure",
     .type = CONF_BOOL,
     .offset = AT(is_insecure),
     .def = "false",
     .meaning = "Allows registries on other hosts without secret_key."},
    {.name = "stack_bytes",
     .type = CONF_SIZE,
     .offset = AT(stack_bytes),
     .def = "256k",
     .min = 32 * 1024,
     .max = 64 * 1024 * 1024,
     .unit = "bytes",
     .meaning = "Stack of a callback; memory is taken as it is used."},
    {.name = "max_coroutines",
     .type = CONF_INT,
     .offset = AT(max_coroutines),
     .def = "10000",
     .min = 1,
     .max = 1000000,
     .meaning = "Callbacks that may be under way at once; further events wait."},
    {.name = "send_to_gateway_buffer_size",
     .type = CONF_SIZE,
     .offset = AT(send_to_gateway_buffer_size),
     .def = "10240000",
     .min = 64 * 1024,
     .max = (int64_t)4 * 1024 * 1024 * 1024,
     .unit = "bytes",
     .meaning = "Bytes waiting for one gateway from which on sending callbacks wait."},
    {.name = "max_packet_bytes",
     .type = CONF_SIZE,
     .offset = AT(max_packet_bytes),
     .def = "128m",
     .min = 64 * 1024,
     .max = 1024 * 1024 * 1024,
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

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);

    return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static int check_events(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct worker_conf *c = s->conf;
    const char *path = conf_path(conf, c->events);

    if (!ends_with(path, ".c") && !ends_with(path, ".so")) {
        buf_printf(errors, "%s: [worker %s] events: \"%s\" is neither a .c nor a .so file\n",
                   conf_where(conf, s, "events"), s->name, c->events);
        return GW_ECONF;
    }
    if (access(path, R_OK) == 0)
        return 0;
    buf_printf(errors, "%s: [worker %s] events: cannot read %s; name the file of your module\n",
               conf_where(conf, s, "events"), s->name, path);
    return GW_ECONF;
}

static int check_options(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct worker_conf *c = s->conf;
    int rc = 0;

    for (size_t i = 0; i < c->options.len; i++) {
        const struct conf_item *item = &c->options.at[i];
        if (strchr(item->text, '='))
            continue;
        buf_printf(errors, "%s:%d: [worker %s] option: \"%s\" should be name=value\n", item->file,
                   item->line, s->name, item->text);
        rc = GW_ECONF;
    }
    if (!utf8_is_valid(span_str(c->secret_key)) || !utf8_is_valid(span_str(worker_name_of(s)))) {
        buf_printf(errors,
                   "%s: [worker %s] name and secret_key must be UTF-8: they travel as JSON\n",
                   conf_where(conf, s, "secret_key"), s->name);
        rc = GW_ECONF;
    }
    return rc;
}

int worker_check(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct worker_conf *c = s->conf;
    int rc = check_events(conf, s, errors);

    if (registries_check(conf, s, &c->register_address, c->secret_key, c->is_insecure, errors) < 0)
        rc = GW_ECONF;
    if (check_options(conf, s, errors) < 0)
        rc = GW_ECONF;
    return rc;
}
