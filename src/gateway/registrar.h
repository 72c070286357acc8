/* Keeps every registry informed of where this gateway's inner port is. */
#ifndef GATEWAY_REGISTRAR_H
#define GATEWAY_REGISTRAR_H

#include <stddef.h>

#include "base/compiler.h"

struct gateway;
struct registration;

struct registrar {
    struct registration *registrations; /* one per register_address */
    size_t len;
};

/* 0 or -errno, logged. A registry that is away is dialled again every second, for ever. */
int registrar_start(struct gateway *g) NODISCARD;
void registrar_stop(struct gateway *g); /* twice is fine; channels may take a turn to end */
void registrar_fini(struct gateway *g); /* once no channel is left */

#endif
