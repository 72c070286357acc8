/* The table of all roles that this binary can run. */
#include "cmd/roles.h"

#include "cluster/cluster_conf.h"
#include "gateway/gateway.h"
#include "proc/master_conf.h"
#include "queue/queue.h"
#include "registry/registry.h"
#include "service/service.h"
#include "web/api_conf.h"
#include "web/web.h"
#include "worker/worker.h"

static const struct role *const roles[] = {&registry_role, &gateway_role, &worker_role,
                                           &queue_role,    &web_role,     &service_role};

const struct role *const *roles_all(size_t *n)
{
    *n = ARRAY_LEN(roles);
    return roles;
}

const struct conf_table *const *roles_tables(size_t *n)
{
    static const struct conf_table *tables[ARRAY_LEN(roles) + 3] = {&master_table, &cluster_table,
                                                                    &api_key_table};
    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        tables[i + 3] = roles[i]->table;
    *n = ARRAY_LEN(tables);
    return tables;
}
