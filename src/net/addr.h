/* Addresses: IPv4, IPv6 and unix sockets, in text and as the kernel wants them. */
#ifndef NET_ADDR_H
#define NET_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/compiler.h"
#include "base/span.h"

enum { ADDR_TEXT_MAX = 128 };

/* 20 bytes, kept by every connection. A unix peer has no address: family AF_UNIX, rest 0.
 * An IPv4 peer on an IPv6 socket is stored as IPv4. */
struct addr {
    uint16_t family; /* AF_INET, AF_INET6, AF_UNIX, 0: unset */
    uint16_t port;   /* host order */
    uint8_t ip[16];  /* network order; IPv4 in the first 4 */
};

/* "127.0.0.1:80", "[::1]:80", ":80" (any address), "80". Numbers only, no names. 0 or -EINVAL. */
int addr_parse(const char *text, struct addr *out) NODISCARD;
void addr_text(const struct addr *a, char out[ADDR_TEXT_MAX]);    /* with port */
void addr_ip_text(const struct addr *a, char out[ADDR_TEXT_MAX]); /* without */
/* Whom connections from there are counted to: IPv4 by itself, IPv6 by its /64 network, since
 * whoever has one host has all of its addresses (RFC 4291 §2.5.1). Not for unix peers. */
uint64_t addr_holder(const struct addr *a);
uint32_t addr_ip4(const struct addr *a); /* host order; 0 unless IPv4 */
bool addr_is_loopback(const struct addr *a);
bool addr_is_private(const struct addr *a); /* RFC 1918, RFC 4193, link-local, loopback */
void addr_from_sockaddr(const struct sockaddr *sa, struct addr *out);
void addr_unmap(struct addr *a); /* ::ffff:192.0.2.1 becomes 192.0.2.1 */
socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out);

/* "websocket://0.0.0.0:7272", "unix:///run/x.sock" → scheme, place. false without "://". */
bool addr_split_url(struct span url, struct span *scheme, struct span *place);

#endif
