/* Complaints name the line, and what to do instead. */
#include "mesh/registries.h"

#include <string.h>

#include <gw/err.h>

#include "base/span.h"

static bool is_local(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "localhost:", 10) == 0 ||
           strncmp(address, "[::1]:", 6) == 0;
}

static bool is_host_port(const char *address)
{
    const char *colon = strrchr(address, ':');
    uint64_t port;

    return colon && colon > address && span_to_u64(span_str(colon + 1), &port) && port >= 1 &&
           port <= UINT16_MAX;
}

int registries_check(const struct conf *conf, const struct conf_section *s,
                     const struct conf_list *addresses, const char *secret, bool is_insecure,
                     struct buf *errors)
{
    int rc = 0;

    for (size_t i = 0; i < addresses->len; i++) {
        const char *address = addresses->at[i].text;
        if (!is_host_port(address)) {
            buf_printf(errors, "%s: [%s %s] register_address: \"%s\" is not host:port\n",
                       conf_where(conf, s, "register_address"), s->table->kind, s->name, address);
            rc = GW_ECONF;
        } else if (!is_local(address) && secret[0] == '\0' && !is_insecure) {
            buf_printf(errors,
                       "%s: [%s %s] register_address: %s is on another host; set secret_key, "
                       "or insecure = true in a network that nobody else reaches\n",
                       conf_where(conf, s, "register_address"), s->table->kind, s->name, address);
            rc = GW_ECONF;
        }
    }
    return rc;
}
