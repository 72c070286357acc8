/* Whom an HTTP request comes from, when trusted proxies have passed it on (X-Forwarded-For). */
#include "chan/forwarded.h"

#include <arpa/inet.h>
#include <string.h>

/* "192.0.2.1", "2001:db8::1", and with ports "192.0.2.1:80", "[2001:db8::1]:80", "[2001:db8::1]" */
static bool read_address(struct span word, struct addr *out)
{
    char text[ADDR_TEXT_MAX];
    if (word.len == 0 || word.len >= sizeof text)
        return false;
    memcpy(text, word.at, word.len);
    text[word.len] = '\0';
    *out = (struct addr){.family = AF_INET};
    if (inet_pton(AF_INET, text, out->ip) == 1)
        return true;
    out->family = AF_INET6;
    if (inet_pton(AF_INET6, text, out->ip) == 1)
        return true;
    if (text[0] == '[' && text[word.len - 1] == ']') {
        text[word.len - 1] = '\0';
        return inet_pton(AF_INET6, text + 1, out->ip) == 1;
    }
    return strchr(text, '.') || text[0] == '[' ? addr_parse(text, out) == 0 : false;
}

/* Cuts the last word off a comma-separated list. */
static struct span cut_last(struct span *list)
{
    size_t at = list->len;
    while (at > 0 && list->at[at - 1] != ',')
        at--;
    struct span word = span_skip(*list, at);
    list->len = at > 0 ? at - 1 : 0;
    return span_trim(word);
}

bool forwarded_from(const struct http_request *r, const struct cidr_set *trusted,
                    const struct addr *peer, struct addr *out)
{
    bool has_one = false;
    if (!cidr_set_has(trusted, peer))
        return false;
    /* Several headers of one name are one list (RFC 9110 §5.2): the last one is the right end. */
    for (size_t i = r->headers_n; i-- > 0;) {
        struct span list = r->headers[i].value;
        if (!span_eq_nocase(r->headers[i].name, "X-Forwarded-For"))
            continue;
        while (list.len > 0) {
            struct addr a;
            if (!read_address(cut_last(&list), &a))
                return has_one;
            addr_unmap(&a);
            *out = a;
            has_one = true;
            if (!cidr_set_has(trusted, &a))
                return true;
        }
    }
    return has_one;
}
