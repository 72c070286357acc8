/* Addresses: IPv4, IPv6 and unix sockets, in text and as the kernel wants them. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum { IP4_BYTES = 4, IP6_BYTES = 16 };

static bool parse_port(struct span text, uint16_t *out)
{
    uint64_t port;
    if (text.len > 5 || !span_to_u64(text, &port) || port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

static bool parse_ip(int family, struct span text, uint8_t *out)
{
    char host[INET6_ADDRSTRLEN];
    if (text.len >= sizeof host)
        return false;
    memcpy(host, text.at, text.len);
    host[text.len] = '\0';
    return inet_pton(family, host, out) == 1;
}

int addr_parse(const char *text, struct addr *out)
{
    struct span all = span_str(text);
    *out = (struct addr){.family = AF_INET};
    if (parse_port(all, &out->port)) /* "80" */
        return 0;
    const char *colon = text ? strrchr(text, ':') : NULL;
    if (!colon)
        return -EINVAL;
    struct span host = span_of(text, (size_t)(colon - text));
    if (!parse_port(span_str(colon + 1), &out->port))
        return -EINVAL;
    if (host.len == 0) /* ":80" */
        return 0;
    if (host.at[0] == '[' && host.at[host.len - 1] == ']') {
        out->family = AF_INET6;
        return parse_ip(AF_INET6, span_of(host.at + 1, host.len - 2), out->ip) ? 0 : -EINVAL;
    }
    return parse_ip(AF_INET, host, out->ip) ? 0 : -EINVAL;
}

static char *put_octet(char *at, unsigned octet)
{
    if (octet >= 100)
        *at++ = (char)('0' + octet / 100);
    if (octet >= 10)
        *at++ = (char)('0' + octet / 10 % 10);
    *at++ = (char)('0' + octet % 10);
    return at;
}

/* inet_ntop() prints through sprintf(), which shows in the time of a handshake. */
static void ip4_text(const uint8_t ip[4], char *at)
{
    for (int i = 0; i < 4; i++) {
        at = put_octet(at, ip[i]);
        *at++ = i < 3 ? '.' : '\0';
    }
}

void addr_ip_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    if (a->family == AF_INET)
        ip4_text(a->ip, out);
    else if (a->family != AF_INET6 || !inet_ntop(AF_INET6, a->ip, out, ADDR_TEXT_MAX))
        snprintf(out, ADDR_TEXT_MAX, "%s", a->family == AF_UNIX ? "unix" : "unknown");
}

void addr_text(const struct addr *a, char out[ADDR_TEXT_MAX])
{
    char ip[ADDR_TEXT_MAX / 2];
    bool is_ip = a->family == AF_INET || a->family == AF_INET6;
    if (!is_ip || !inet_ntop(a->family, a->ip, ip, sizeof ip))
        addr_ip_text(a, out);
    else
        snprintf(out, ADDR_TEXT_MAX, a->family == AF_INET6 ? "[%s]:%u" : "%s:%u", ip, a->port);
}

/* IPv4 takes the prefix of mapped addresses, 0::/8, in which no network lies (RFC 4291 §4). */
uint64_t addr_holder(const struct addr *a)
{
    if (a->family == AF_INET)
        return UINT64_C(0xffff) << 32 | get_u32be(a->ip);
    return (uint64_t)get_u32be(a->ip) << 32 | get_u32be(a->ip + 4);
}

uint32_t addr_ip4(const struct addr *a)
{
    return a->family == AF_INET ? get_u32be(a->ip) : 0;
}

bool addr_is_loopback(const struct addr *a)
{
    static const uint8_t ip6_loopback[IP6_BYTES] = {[15] = 1};
    if (a->family == AF_INET)
        return a->ip[0] == 127;
    if (a->family == AF_INET6)
        return memcmp(a->ip, ip6_loopback, IP6_BYTES) == 0;
    return a->family == AF_UNIX;
}

bool addr_is_private(const struct addr *a)
{
    if (addr_is_loopback(a))
        return true;
    const uint8_t *ip = a->ip;
    if (a->family == AF_INET)
        return ip[0] == 10 ||                            /* RFC 1918 §3 */
               (ip[0] == 172 && (ip[1] & 0xf0) == 16) || /* 172.16/12 */
               (ip[0] == 192 && ip[1] == 168) ||
               (ip[0] == 169 && ip[1] == 254); /* link-local, RFC 3927 §2.1 */
    if (a->family == AF_INET6)
        return (ip[0] & 0xfe) == 0xfc ||                  /* RFC 4193 §3.1 */
               (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80); /* link-local, RFC 4291 §2.5.6 */
    return false;
}

/* ::ffff:a.b.c.d, which is how an IPv6 socket names an IPv4 peer (RFC 4291 §2.5.5.2). */
static bool is_mapped(const uint8_t ip[IP6_BYTES])
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(ip, prefix, sizeof prefix) == 0;
}

void addr_unmap(struct addr *a)
{
    if (a->family != AF_INET6 || !is_mapped(a->ip))
        return;
    uint8_t ip[IP6_BYTES] = {0};
    memcpy(ip, a->ip + IP6_BYTES - IP4_BYTES, IP4_BYTES);
    memcpy(a->ip, ip, IP6_BYTES);
    a->family = AF_INET;
}

void addr_from_sockaddr(const struct sockaddr *sa, struct addr *out)
{
    *out = (struct addr){.family = sa->sa_family};
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        out->port = ntohs(in.sin_port);
        memcpy(out->ip, &in.sin_addr, IP4_BYTES);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        out->port = ntohs(in6.sin6_port);
        memcpy(out->ip, &in6.sin6_addr, IP6_BYTES);
        addr_unmap(out);
    }
}

socklen_t addr_to_sockaddr(const struct addr *a, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (a->family == AF_INET6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(a->port)};
        memcpy(&in6.sin6_addr, a->ip, IP6_BYTES);
        memcpy(out, &in6, sizeof in6);
        return sizeof in6;
    }
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(a->port)};
    memcpy(&in.sin_addr, a->ip, IP4_BYTES);
    memcpy(out, &in, sizeof in);
    return sizeof in;
}

bool addr_split_url(struct span url, struct span *scheme, struct span *place)
{
    ptrdiff_t colon = span_find(url, ':');
    if (colon < 1 || url.len - (size_t)colon < 3 || memcmp(url.at + colon, "://", 3) != 0)
        return false;
    *scheme = span_of(url.at, (size_t)colon);
    *place = span_skip(url, (size_t)colon + 3);
    return true;
}
