/* Complaints name the line, and what to do instead. */
#include "mesh/registries.h"

#include <string.h>

#include "base/span.h"
#include "base/utf8.h"
#include "net/addr.h"

static bool is_local(const char *address)
{
    struct addr addr;

    if (strncmp(address, "localhost:", 10) == 0)
        return true;
    return addr_parse(address, &addr) == 0 && addr_is_loopback(&addr);
}

static bool is_host_port(const char *address)
{
    const char *colon = strrchr(address, ':');
    uint64_t port;

    return colon && colon > address && span_to_u64(span_str(colon + 1), &port) && port >= 1 &&
           port <= UINT16_MAX;
}

int registries_check(const struct conf *conf, const struct conf_section *s,
                     const struct registries_conf *c, struct buf *errors)
{
    int rc = 0;

    if (!utf8_is_valid(span_str(c->secret)))
        rc = conf_complain(conf, s, "secret_key", errors, "must be UTF-8: it travels as JSON");
    for (size_t i = 0; i < c->addresses.len; i++) {
        const struct conf_item *item = &c->addresses.at[i];
        if (!is_host_port(item->text))
            rc = conf_complain_item(s, "register_address", item, errors, "\"%s\" is not host:port",
                                    item->text);
        else if (!is_local(item->text) && c->secret[0] == '\0' && !c->is_insecure)
            rc = conf_complain_item(
                s, "register_address", item, errors,
                "%s is on another host; set secret_key, or insecure = true in a network "
                "that nobody else reaches",
                item->text);
    }
    return rc;
}
