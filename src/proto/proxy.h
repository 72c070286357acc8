/* The header that a proxy puts in front of a connection: PROXY protocol, versions 1 and 2. */
#ifndef PROTO_PROXY_H
#define PROTO_PROXY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/span.h"

/* PROXY_V1_MAX: with its line end (proxy-protocol.txt §2.1). Version 2 may add values of any
 * length (§2.2); none that is longer than this is of use. */
enum { PROXY_V1_MAX = 107, PROXY_HEAD_MAX = 4096 };

enum proxy_source {
    PROXY_NO_SOURCE, /* the proxy speaks for itself (LOCAL), or does not know: the peer is real */
    PROXY_IP4,
    PROXY_IP6,
};

struct proxy_head {
    enum proxy_source source;
    uint8_t ip[16]; /* network order; IPv4 in the first 4 */
    uint16_t port;
};

/* Returns the header's length, 0 when its end is not there yet (then every byte of `in` belongs to
 * it), GW_EPROTO for anything else, GW_ETOOBIG beyond PROXY_HEAD_MAX. */
ssize_t proxy_parse(struct span in, struct proxy_head *out) NODISCARD;

#endif
