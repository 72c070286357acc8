/* The header that a proxy puts in front of a connection: PROXY protocol, versions 1 and 2.
 *
 * The sections cited are those of proxy-protocol.txt, as HAProxy publishes it. */
#include "proto/proxy.h"

#include <arpa/inet.h>
#include <string.h>

#include <gw/err.h>

#include "base/bytes.h"

static const uint8_t V1_START[] = {'P', 'R', 'O', 'X', 'Y', ' '};
static const uint8_t V2_START[] = {'\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

enum { V2_FIXED = 16, V2_IP4_BYTES = 12, V2_IP6_BYTES = 36 };

/* Whether `in` begins with `start`, or, being shorter, may still do so. */
static bool may_be(struct span in, const uint8_t *start, size_t len)
{
    return memcmp(in.at, start, in.len < len ? in.len : len) == 0;
}

/* ---- version 1: one line of text (§2.1) ---- */

static bool read_port(struct span word, uint16_t *out)
{
    uint64_t port;
    if (word.len == 0 || word.len > 5 || (word.len > 1 && word.at[0] == '0') ||
        !span_to_u64(word, &port) || port > UINT16_MAX)
        return false;
    *out = (uint16_t)port;
    return true;
}

static bool read_ip(int family, struct span word, uint8_t out[16])
{
    char text[INET6_ADDRSTRLEN];
    if (word.len == 0 || word.len >= sizeof text)
        return false;
    memcpy(text, word.at, word.len);
    text[word.len] = '\0';
    return inet_pton(family, text, out) == 1;
}

static int parse_line(struct span line, struct proxy_head *out)
{
    struct span family = span_cut(&line, ' ');
    if (span_is(family, "UNKNOWN")) /* the rest of the line is to be ignored */
        return 0;
    bool is_ip6 = span_is(family, "TCP6");
    if (!is_ip6 && !span_is(family, "TCP4"))
        return GW_EPROTO;
    uint8_t ignored_ip[16];
    uint16_t ignored_port;
    int af = is_ip6 ? AF_INET6 : AF_INET;
    bool is_good = read_ip(af, span_cut(&line, ' '), out->ip);
    is_good = is_good && read_ip(af, span_cut(&line, ' '), ignored_ip);
    is_good = is_good && read_port(span_cut(&line, ' '), &out->port);
    if (!is_good || !read_port(line, &ignored_port))
        return GW_EPROTO;
    out->source = is_ip6 ? PROXY_IP6 : PROXY_IP4;
    return 0;
}

static ssize_t parse_v1(struct span in, struct proxy_head *out)
{
    struct span head = span_of(in.at, in.len < PROXY_V1_MAX ? in.len : PROXY_V1_MAX);
    ptrdiff_t end = span_find(head, '\n');
    if (end < 0)
        return in.len < PROXY_V1_MAX ? 0 : GW_EPROTO;
    if (end < (ptrdiff_t)sizeof V1_START || in.at[end - 1] != '\r')
        return GW_EPROTO;
    struct span line = span_of(in.at, (size_t)end - 1);
    if (line.len < sizeof V1_START)
        return GW_EPROTO;
    int rc = parse_line(span_skip(line, sizeof V1_START), out);
    return rc < 0 ? rc : end + 1;
}

/* ---- version 2: binary (§2.2) ---- */

static int read_addresses(uint8_t family, struct span block, struct proxy_head *out)
{
    /* The high half is the address family, the low half TCP or UDP. Unix addresses and families to
     * come say nothing that we could use. */
    bool is_ip6 = family >> 4 == 2;
    if (!is_ip6 && family >> 4 != 1)
        return 0;
    if (block.len < (is_ip6 ? V2_IP6_BYTES : V2_IP4_BYTES))
        return GW_EPROTO;
    size_t ip_bytes = is_ip6 ? 16 : 4;
    memcpy(out->ip, block.at, ip_bytes);
    out->port = get_u16be(block.at + 2 * ip_bytes);
    out->source = is_ip6 ? PROXY_IP6 : PROXY_IP4;
    return 0;
}

static ssize_t parse_v2(struct span in, struct proxy_head *out)
{
    enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 };
    if (in.len > sizeof V2_START && in.at[12] != COMMAND_LOCAL && in.at[12] != COMMAND_PROXY)
        return GW_EPROTO;
    if (in.len < V2_FIXED)
        return 0;
    size_t len = V2_FIXED + get_u16be(in.at + 14);
    if (len > PROXY_HEAD_MAX)
        return GW_ETOOBIG;
    if (in.len < len)
        return 0;
    int rc = 0;
    if (in.at[12] == COMMAND_PROXY)
        rc = read_addresses(in.at[13], span_of(in.at + V2_FIXED, len - V2_FIXED), out);
    return rc < 0 ? rc : (ssize_t)len;
}

ssize_t proxy_parse(struct span in, struct proxy_head *out)
{
    *out = (struct proxy_head){.source = PROXY_NO_SOURCE};
    if (in.len == 0)
        return 0;
    if (may_be(in, V1_START, sizeof V1_START))
        return parse_v1(in, out);
    if (may_be(in, V2_START, sizeof V2_START))
        return parse_v2(in, out);
    return GW_EPROTO;
}
