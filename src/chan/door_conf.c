/* The keys of a section for what stands in front of it. */

#include "chan/door.h"

int door_conf_check(const struct conf *conf, const struct conf_section *s,
                    const struct door_conf *d, struct buf *errors)
{
    int rc = 0;
    for (size_t i = 0; i < d->trusted.len; i++) {
        const struct conf_item *item = &d->trusted.at[i];
        struct cidr ignored;
        if (cidr_parse(item->text, &ignored) == 0)
            continue;
        rc = conf_complain_item(s, "trusted_proxies", item, errors,
                                "\"%s\" is no address; write for instance 127.0.0.1, 10.0.0.0/8, "
                                "::1 or unix",
                                item->text);
    }
    if (!d->has_proxy_header || d->trusted.len > 0)
        return rc;
    return conf_complain(conf, s, "proxy_protocol", errors,
                         "anybody could pretend to be anybody; say with trusted_proxies which "
                         "addresses the proxies have");
}

struct cidr_set door_conf_trusted(const struct door_conf *d)
{
    struct cidr_set set = {0};
    for (size_t i = 0; i < d->trusted.len; i++) {
        struct cidr c;
        if (cidr_parse(d->trusted.at[i].text, &c) == 0)
            cidr_set_add(&set, &c);
    }
    return set;
}
