/* A row of `gatehouse connections`, as the connection itself tells it. */
#ifndef PROC_CONNECTION_H
#define PROC_CONNECTION_H

#include "net/conn.h"
#include "proc/role.h"

/* Its state is ESTABLISHED or CLOSING: whoever knows of another one writes it. The texts are static
 * but for `protocol`, which is borrowed. */
struct role_connection connection_row(const struct conn *c, uint64_t id, const char *protocol);

#endif
