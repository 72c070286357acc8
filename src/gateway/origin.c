/* Which web pages may connect: the Origin header of a handshake against the allowlist. */
#include "gateway/origin.h"

#include <strings.h>

#include "proto/http.h"

/* "host:port" → "host"; an IPv6 address keeps its brackets (RFC 3986 §3.2.2). */
static struct span host_of(struct span authority)
{
    ptrdiff_t end = authority.len > 0 && authority.at[0] == '[' ? span_find(authority, ']') + 1 : 0;
    ptrdiff_t colon = span_find(span_skip(authority, (size_t)end), ':');
    return colon < 0 ? authority : span_of(authority.at, (size_t)(end + colon));
}

static bool is_same(struct span a, struct span b)
{
    return a.len > 0 && a.len == b.len &&
           strncasecmp((const char *)a.at, (const char *)b.at, a.len) == 0;
}

/* "https://a.example:8443" → "a.example"; "null" has no host (RFC 6454 §7.1). */
static struct span origin_host(struct span origin)
{
    ptrdiff_t colon = span_find(origin, ':');
    if (colon < 0 || origin.len < (size_t)colon + 3)
        return span_of(NULL, 0);
    return host_of(span_skip(origin, (size_t)colon + 3));
}

bool origin_is_allowed(const struct conf_list *allowed, const struct http_request *request)
{
    struct span origin = http_header(request, "Origin");
    if (!origin.at)
        return true;
    if (allowed->len == 0)
        return is_same(origin_host(origin), host_of(http_header(request, "Host")));
    for (size_t i = 0; i < allowed->len; i++) {
        struct span entry = span_str(allowed->at[i].text);
        if (span_is(entry, "*") || is_same(entry, origin))
            return true;
    }
    return false;
}
