/* The rows that a gateway adds to `gatehouse connections`. */
#ifndef GATEWAY_TABLE_H
#define GATEWAY_TABLE_H

#include "proc/role.h"

struct gateway;

/* Clients in connecting order, then inner peers, until row() has enough. */
void table_connections(struct gateway *g, role_connection_fn *row, void *ctx);

#endif
