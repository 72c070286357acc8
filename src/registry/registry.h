/* The registry role: gateways announce themselves, workers and client libraries hear where they
 * are. */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "proc/role.h"

/* One process, one listener, text lines with JSON (docs/wire.md, section 1). Several registries may
 * run; they do not know of each other. Nothing that flows between gateways and workers needs it. */
extern const struct role registry_role;

#endif
