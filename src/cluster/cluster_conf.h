/* The [cluster] section: how the gateways and workers of several hosts reach one another. */
#ifndef CLUSTER_CLUSTER_CONF_H
#define CLUSTER_CLUSTER_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/conf.h"
#include "cluster/nats.h"

enum { CLUSTER_LABEL_MAX = 256 };

struct role_env;

struct cluster_conf {
    struct conf_list nats;
    const char *name; /* what all subjects begin with */
    const char *user, *password, *token;
    const char *credentials;
    const char *nkey, *nkey_seed;
    bool is_tls;
    const char *tls_ca, *tls_cert, *tls_key;
    uint64_t buffer_bytes;
};

extern const struct conf_table cluster_table;

/* NULL when the config has no such section: then there is only the mesh. */
const struct cluster_conf *cluster_conf_of(const struct conf *conf);
/* What the connection of a process is made from; borrows from its config, and `label`, which gets
 * "gatehouse worker chat #0". */
void cluster_conf_nats(const struct cluster_conf *c, const struct role_env *env,
                       char label[CLUSTER_LABEL_MAX], struct nats_conf *out);

#endif
