/* The table of all roles that this binary can run. */
#ifndef CMD_ROLES_H
#define CMD_ROLES_H

#include "proc/role.h"

const struct role *const *roles_all(size_t *n);
/* [master], [api] and the sections of all roles. */
const struct conf_table *const *roles_tables(size_t *n);

#endif
