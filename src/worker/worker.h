/* The worker role: runs a business module, connected to every gateway that a registry names. */
#ifndef WORKER_WORKER_H
#define WORKER_WORKER_H

#include "proc/role.h"

extern const struct role worker_role;

#endif
