/* The role of services: a module's callbacks on connections of its own, no gateway between. */
#ifndef SERVICE_SERVICE_H
#define SERVICE_SERVICE_H

#include "proc/role.h"

extern const struct role service_role;

#endif
