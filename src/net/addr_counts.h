/* How many there are of each address. */
#ifndef NET_ADDR_COUNTS_H
#define NET_ADDR_COUNTS_H

#include <stddef.h>

#include "net/addr.h"

/* Addresses of one addr_holder() are one here. */
struct addr_counts {
    struct idmap *by_holder; /* the values are counts, kept in the pointer itself */
};

void addr_counts_init(struct addr_counts *t);
void addr_counts_fini(struct addr_counts *t);
size_t addr_counts_of(const struct addr_counts *t, const struct addr *a);
void addr_counts_add(struct addr_counts *t, const struct addr *a);
/* One that was added. */
void addr_counts_remove(struct addr_counts *t, const struct addr *a);

#endif
