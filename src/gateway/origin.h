/* Which web pages may connect: the Origin header of a handshake against the allowlist. */
#ifndef GATEWAY_ORIGIN_H
#define GATEWAY_ORIGIN_H

#include <stdbool.h>

#include "base/conf.h"

struct http_request;

/* Requests without Origin do not come from a page and pass. An empty list allows pages of the host
 * name that the request was sent to, on any port and with either scheme. */
bool origin_is_allowed(const struct conf_list *allowed, const struct http_request *request);

#endif
