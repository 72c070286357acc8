/* The gateway role: holds the clients' connections and carries their events to the workers. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "proc/role.h"

/* A gateway runs no business code. Its processes share the clients' ports; each has an inner port
 * of its own (start_port + slot), where workers and client libraries connect. */
extern const struct role gateway_role;

#endif
