#include "cmd/roles.h"

#include "gateway/gateway.h"
#include "proc/master_conf.h"
#include "registry/registry.h"
#include "web/web.h"

extern const struct role worker_role;
#pragma weak worker_role
#pragma weak gateway_role
#pragma weak registry_role
#pragma weak web_role

static const struct role *const candidates[] = {&registry_role, &gateway_role, &worker_role,
                                                &web_role};
enum { ROLES_MAX = ARRAY_LEN(candidates) };

const struct role *const *roles_all(size_t *n)
{
    static const struct role *roles[ROLES_MAX];
    *n = 0;
    for (size_t i = 0; i < ROLES_MAX; i++)
        if (candidates[i])
            roles[(*n)++] = candidates[i];
    return roles;
}

const struct conf_table *const *roles_tables(size_t *n)
{
    static const struct conf_table *tables[ROLES_MAX + 1];
    size_t roles_n;
    const struct role *const *roles = roles_all(&roles_n);
    tables[0] = &master_table;
    for (size_t i = 0; i < roles_n; i++)
        tables[i + 1] = roles[i]->table;
    *n = roles_n + 1;
    return tables;
}
