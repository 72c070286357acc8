/* Whom an HTTP request comes from, when trusted proxies have passed it on (X-Forwarded-For). */
#ifndef CHAN_FORWARDED_H
#define CHAN_FORWARDED_H

#include <stdbool.h>

#include "net/addr.h"
#include "net/cidr.h"
#include "proto/http.h"

/* Each proxy appends whom it got the request from. So the list is believed from its right end, as
 * long as trusted proxies speak: the rightmost address that is none of theirs is the client's. What
 * is left of it, the client may have made up. true: *out is that address, with port 0 unless one
 * was written; false: the peer is not trusted, or there is nothing to believe. */
bool forwarded_from(const struct http_request *r, const struct cidr_set *trusted,
                    const struct addr *peer, struct addr *out);

#endif
