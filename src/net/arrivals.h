/* How fast connections may come from one address: a token bucket for each, in bounded memory. */
#ifndef NET_ARRIVALS_H
#define NET_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"

/* One address is one holder, as net/addr.h counts them. */
struct arrivals;

/* per_second, burst_n: as rate_of() has them, per_second above 0. 768 KiB, of which the kernel
 * gives what is used. */
struct arrivals *arrivals_new(int64_t per_second, int64_t burst_n);
void arrivals_free(struct arrivals *a);
/* A connection came from there. false: it is one too many. Unix peers may always come. */
bool arrivals_allow(struct arrivals *a, const struct addr *peer, uint64_t now_ms);

#endif
