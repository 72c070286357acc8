/* The keys of a section for what stands in front of it. */

#include "chan/door.h"
#include "net/cidr_conf.h"

int door_conf_check(const struct conf *conf, const struct conf_section *s,
                    const struct door_conf *d, struct buf *errors)
{
    int rc = cidr_conf_check(s, "trusted_proxies", &d->trusted, errors);
    if (!d->has_proxy_header || d->trusted.len > 0)
        return rc;
    return conf_complain(conf, s, "proxy_protocol", errors,
                         "anybody could pretend to be anybody; say with trusted_proxies which "
                         "addresses the proxies have");
}

struct cidr_set door_conf_trusted(const struct door_conf *d)
{
    return cidr_conf_read(&d->trusted);
}
