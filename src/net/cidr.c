/* Sets of addresses: "10.0.0.0/8", "::1", "unix". */
#include "net/cidr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

static void clear_host_bits(struct cidr *c)
{
    for (unsigned i = 0; i < sizeof c->ip; i++) {
        unsigned kept = c->bits > i * 8 ? c->bits - i * 8 : 0;
        if (kept < 8)
            c->ip[i] &= (uint8_t)(0xff00 >> kept);
    }
}

static bool parse_ip(struct span text, struct addr *out)
{
    char host[INET6_ADDRSTRLEN];
    if (text.len >= sizeof host)
        return false;
    memcpy(host, text.at, text.len);
    host[text.len] = '\0';
    *out = (struct addr){.family = AF_INET};
    if (inet_pton(AF_INET, host, out->ip) == 1)
        return true;
    out->family = AF_INET6;
    return inet_pton(AF_INET6, host, out->ip) == 1;
}

/* Peers come unmapped (net/addr.h), so a mapped network would never match. false: it is more than
 * that of IPv4. */
static bool unmap(struct addr *a, uint64_t *bits)
{
    enum { PREFIX_BITS = 96 }; /* RFC 4291 §2.5.5.2 */
    uint16_t family = a->family;
    addr_unmap(a);
    if (a->family == family)
        return true;
    if (*bits < PREFIX_BITS)
        return false;
    *bits -= PREFIX_BITS;
    return true;
}

int cidr_parse(const char *text, struct cidr *out)
{
    struct addr a;
    struct span bits_text = span_str(text);
    struct span host_text = span_cut(&bits_text, '/');
    *out = (struct cidr){0};
    if (span_is(host_text, "unix") && !strchr(text, '/')) {
        out->family = AF_UNIX;
        return 0;
    }
    if (!parse_ip(host_text, &a))
        return -EINVAL;
    uint64_t max = a.family == AF_INET ? 32 : 128, bits = max;
    if (strchr(text, '/') && (!span_to_u64(bits_text, &bits) || bits > max))
        return -EINVAL;
    if (!unmap(&a, &bits))
        return -EINVAL;
    out->family = a.family;
    out->bits = (uint8_t)bits;
    memcpy(out->ip, a.ip, sizeof out->ip);
    clear_host_bits(out);
    return 0;
}

bool cidr_has(const struct cidr *c, const struct addr *a)
{
    if (a->family != c->family)
        return false;
    size_t whole = c->bits / 8;
    unsigned rest = c->bits % 8;
    if (memcmp(a->ip, c->ip, whole) != 0)
        return false;
    return rest == 0 || (a->ip[whole] & (uint8_t)(0xff00 >> rest)) == c->ip[whole];
}

void cidr_set_add(struct cidr_set *set, const struct cidr *c)
{
    set->at = mem_realloc(set->at, (set->len + 1) * sizeof *set->at);
    set->at[set->len++] = *c;
}

bool cidr_set_has(const struct cidr_set *set, const struct addr *a)
{
    for (size_t i = 0; i < set->len; i++)
        if (cidr_has(&set->at[i], a))
            return true;
    return false;
}

void cidr_set_fini(struct cidr_set *set)
{
    mem_free(set->at);
    *set = (struct cidr_set){0};
}
