/* Who is connected to the registry: gateways with their addresses, workers that hear of them. */
#ifndef REGISTRY_DIRECTORY_H
#define REGISTRY_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/list.h"

/* The longest address that a gateway may announce. */
enum { DIRECTORY_ADDRESS_MAX = 255 };

struct directory {
    struct list gateways; /* of struct member, in the order in which they registered */
    struct list workers;  /* likewise */
    size_t gateways_n, workers_n;
    uint64_t version;       /* counts what gateways said and their leaving */
    size_t addresses_bytes; /* upper bound of what all addresses take in the line */
    struct buf line;        /* the broadcast, when !is_stale */
    bool is_stale;
};

/* Embedded in its owner; zero-initialise, then member_init(). A member may be both. */
struct member {
    struct list gateway_node;
    struct list worker_node;
    char *address; /* NULL: not a gateway */
    bool is_worker;
};

void directory_init(struct directory *d);
void directory_fini(struct directory *d); /* all members must have left */

void member_init(struct member *m);

/* A gateway announces itself, or moves (it keeps its place in the order then). Copies the address.
 * GW_EPROTO for a text that cannot be one; GW_EFULL when the broadcast would pass REG_LINE_MAX. */
int directory_add_gateway(struct directory *d, struct member *m, const char *address) NODISCARD;
/* Once more is fine. */
void directory_add_worker(struct directory *d, struct member *m);
/* Returns whether the list changed, or may have. Twice is fine. */
bool directory_leave(struct directory *d, struct member *m);

/* The line for workers, with its \n; valid until the next change. Every address once, in the order
 * of registration, always as a list (register.json unique_keys: the original sends an object then).
 */
struct span directory_line(struct directory *d);

#endif
