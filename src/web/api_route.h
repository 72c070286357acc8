/* Which call a request of the HTTP API means, and whether whoever sent it may make it. */
#ifndef WEB_API_ROUTE_H
#define WEB_API_ROUTE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "proto/http.h"
#include "web/api.h"
#include "web/api_key.h"
#include "web/api_ops.h"

/* In front of every call. */
#define API_PREFIX "/api/"

enum api_place { API_PLACE_OP, API_PLACE_BATCH, API_PLACE_OPENAPI, API_PLACE_PREFLIGHT };

struct api_route {
    enum api_place place;
    const struct api_op *op; /* API_PLACE_OP */
    struct api_key *key;     /* both that and API_PLACE_BATCH */
};

/* True with *route; else *out is the answer. The lines of *out for pages of other origins are
 * written in both cases. */
bool api_route_find(const struct web_conf *conf, const struct api_keys *keys,
                    const struct http_request *r, struct api_route *route,
                    struct api_answer *out) NODISCARD;

#endif
