/* The [registry] section: its keys, and what must hold between them. */
#include "registry/registry_conf.h"

#include <stddef.h>

#include <gw/err.h>

#include "base/utf8.h"
#include "proc/listen.h"

#define AT(field) offsetof(struct registry_conf, field)

static const struct conf_key keys[] = {
    {.name = "listen",
     .type = CONF_STR,
     .offset = AT(listen),
     .def = "text://127.0.0.1:1236",
     .meaning = "Where gateways, workers and client libraries find the registry: text:// with "
                "address and port."},
    {.name = "secret_key",
     .type = CONF_STR,
     .offset = AT(secret_key),
     .def = "",
     .meaning = "Key that registry, gateways, workers and client libraries have in common."},
    {.name = "insecure",
     .type = CONF_BOOL,
     .offset = AT(is_insecure),
     .def = "false",
     .meaning = "Allows a registry that other hosts reach without secret_key."},
    PEER_TLS_CONF_KEYS(struct registry_conf, tls),
    {.name = "name",
     .type = CONF_STR,
     .offset = AT(name),
     .meaning = "Name in status and process titles; the section's name when unset."},
    {.name = "user",
     .type = CONF_STR,
     .offset = AT(user),
     .meaning = "User to become once the ports are bound."},
};

const struct conf_table registry_conf_table = {
    .kind = "registry",
    .meaning = "Tells workers and client libraries where the gateways are.",
    .keys = keys,
    .keys_n = ARRAY_LEN(keys),
    .conf_bytes = sizeof(struct registry_conf),
};

int registry_conf_plan(const struct conf *conf, const struct conf_section *s, int slot,
                       struct role_listen out[ROLE_LISTENERS_MAX], struct buf *errors)
{
    static const char *const schemes[] = {"text", NULL};
    const struct registry_conf *rc = s->conf;
    int pos = role_listen_parse(conf, s, "listen", rc->listen, schemes, &out[0], errors);

    return pos < 0 ? pos : 1;
}

int registry_conf_check(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct registry_conf *rc = s->conf;
    struct role_listen listens[ROLE_LISTENERS_MAX];
    int listens_n = registry_conf_plan(conf, s, 0, listens, errors);

    if (listens_n < 0)
        return listens_n;
    /* The key travels in JSON, which cannot carry other bytes. */
    if (!utf8_is_valid(span_str(rc->secret_key)))
        return conf_complain(conf, s, "secret_key", errors, "must be UTF-8: it travels as JSON");
    bool is_local = listens[0].unix_path || addr_is_loopback(&listens[0].addr);
    if (!is_local && !rc->secret_key[0] && !rc->is_insecure)
        return conf_complain(
            conf, s, "listen", errors,
            "other hosts could reach the registry and read or forge the list of "
            "gateways; set secret_key here and in all gateways, workers and client "
            "libraries, or listen on 127.0.0.1, or write insecure = true if the "
            "network keeps strangers out");
    return 0;
}
