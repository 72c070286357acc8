/* The [registry] section: its keys, and what must hold between them. */
#ifndef REGISTRY_REGISTRY_CONF_H
#define REGISTRY_REGISTRY_CONF_H

#include <stdbool.h>

#include "base/conf.h"
#include "net/peer_tls_conf.h"
#include "proc/role.h"

struct registry_conf {
    const char *listen;
    const char *secret_key; /* "" when unset */
    bool is_insecure;
    struct peer_tls_conf tls;
    const char *name;
    const char *user;
};

extern const struct conf_table registry_conf_table;

/* As role.h's check and plan. */
int registry_conf_check(const struct conf *conf, const struct conf_section *s, struct buf *errors);
int registry_conf_plan(const struct conf *conf, const struct conf_section *s, int slot,
                       struct role_listen out[ROLE_LISTENERS_MAX], struct buf *errors);

#endif
