/* Sets of addresses: "10.0.0.0/8", "::1", "unix". */
#ifndef NET_CIDR_H
#define NET_CIDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "net/addr.h"

struct cidr {
    uint16_t family; /* AF_INET, AF_INET6; AF_UNIX: every unix peer */
    uint8_t bits;    /* leading bits of ip that count */
    uint8_t ip[16];  /* network order; IPv4 in the first 4; the other bits are 0 */
};

/* An address without "/bits" is itself only; "unix" is every peer of a unix socket. What is written
 * as IPv4 within IPv6, "::ffff:10.0.0.0/104", is the network of IPv4. 0 or -EINVAL. */
int cidr_parse(const char *text, struct cidr *out) NODISCARD;
bool cidr_has(const struct cidr *c, const struct addr *a);

/* Zero-initialised is empty. */
struct cidr_set {
    struct cidr *at;
    size_t len;
};

void cidr_set_add(struct cidr_set *set, const struct cidr *c);
bool cidr_set_has(const struct cidr_set *set, const struct addr *a);
void cidr_set_fini(struct cidr_set *set);

#endif
