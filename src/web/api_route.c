/* The order of the checks: is there such a call, by this method, by this key, with such a body? */
#include "web/api_route.h"

#include <gw/err.h>

#include "base/json.h"
#include "base/log.h"
#include "web/api_fault.h"

static bool refuse(struct api_answer *out, const struct api_fault *fault)
{
    struct gw_json *json = api_fault_json(fault);
    out->status = fault->status;
    if (json_write(&out->body, json, GW_JSON_PLAIN) < 0)
        log_fatal("web: a fault cannot be written as JSON");
    gw_json_free(json);
    return false;
}

/* ---- pages of other origins ---- */

static bool is_listed(const struct conf_list *origins, struct span origin)
{
    for (size_t i = 0; i < origins->len; i++)
        if (span_is(origin, origins->at[i].text))
            return true;
    return false;
}

/* Fetch Standard, 3.3 CORS protocol. Off without api_origin: then browsers keep pages away. */
static void put_cors(const struct web_conf *conf, const struct http_request *r,
                     struct api_answer *out)
{
    struct span origin = http_header(r, "origin");
    if (conf->api_origins.len == 0)
        return;
    buf_puts(&out->lines, "Vary: Origin\r\n");
    if (!origin.at || !is_listed(&conf->api_origins, origin))
        return;
    http_put_header(&out->lines, "Access-Control-Allow-Origin", origin);
    buf_puts(&out->lines, "Access-Control-Expose-Headers: Retry-After\r\n");
}

static bool is_preflight(const struct web_conf *conf, const struct http_request *r)
{
    return conf->api_origins.len > 0 && span_is(r->method, "OPTIONS") &&
           http_header(r, "access-control-request-method").at;
}

static const char *allowed_method(const struct api_route *route)
{
    if (route->place == API_PLACE_OPENAPI || (route->op && route->op->is_asking))
        return "GET, HEAD";
    return "POST";
}

/* ---- what is asked for ---- */

/* The path begins with the prefix: api_serves() has seen to it. */
static bool find_place(struct span path, struct api_route *route)
{
    size_t skip = strlen(API_PREFIX);
    struct span name = span_of(path.at + skip, path.len - skip);
    *route = (struct api_route){.place = API_PLACE_OP, .op = api_op_find(name)};
    if (span_is(name, "batch"))
        route->place = API_PLACE_BATCH;
    else if (span_is(name, "openapi.json"))
        route->place = API_PLACE_OPENAPI;
    else if (!route->op)
        return false;
    return true;
}

static bool is_method_right(const struct api_route *route, struct span method)
{
    if (allowed_method(route)[0] == 'P')
        return span_is(method, "POST");
    return span_is(method, "GET") || span_is(method, "HEAD");
}

/* ---- who asks ---- */

/* RFC 6750 §2.1; the scheme in any case, RFC 9110 §11.1. */
static struct span bearer(const struct http_request *r)
{
    struct span value = http_header(r, "authorization");
    struct span scheme = span_cut(&value, ' ');
    return span_eq_nocase(scheme, "bearer") ? span_trim(value) : (struct span){0};
}

/* RFC 6750 §3: an error code only when a token was shown. */
static bool refuse_stranger(const struct http_request *r, struct api_answer *out)
{
    bool has_token = http_header(r, "authorization").at != NULL;
    struct api_fault fault;
    buf_puts(&out->lines, has_token ? "WWW-Authenticate: Bearer realm=\"gatehouse\", "
                                      "error=\"invalid_token\"\r\n"
                                    : "WWW-Authenticate: Bearer realm=\"gatehouse\"\r\n");
    (void)api_fault_set(&fault, 401, "unauthorized", NULL,
                        has_token ? "no key has this token" : "send Authorization: Bearer TOKEN");
    return refuse(out, &fault);
}

/* ---- with which body ---- */

static bool is_json(const struct http_request *r)
{
    struct span type = http_header(r, "content-type");
    return span_eq_nocase(span_trim(span_cut(&type, ';')), "application/json");
}

static bool judge_body(const struct web_conf *conf, const struct http_request *r,
                       struct api_answer *out)
{
    struct api_fault fault = {0};
    if (!is_json(r))
        (void)api_fault_set(&fault, 415, "bad_type", NULL,
                            "the body must be sent as Content-Type: application/json");
    else if (r->content_length > conf->api_max_body_bytes)
        (void)api_fault_set(&fault, 413, "too_large", NULL, "a body has %llu bytes at most",
                            (unsigned long long)conf->api_max_body_bytes);
    return fault.status == 0 || refuse(out, &fault);
}

/* ---- all of it ---- */

static bool refuse_method(const struct api_route *route, struct api_answer *out)
{
    struct api_fault fault;
    buf_printf(&out->lines, "Allow: %s\r\n", allowed_method(route));
    (void)api_fault_set(&fault, 405, "bad_method", NULL, "use %s",
                        allowed_method(route)[0] == 'P' ? "POST" : "GET");
    return refuse(out, &fault);
}

static bool judge_key(const struct api_keys *keys, const struct http_request *r,
                      struct api_route *route, struct api_answer *out)
{
    struct api_fault fault;
    struct span token = bearer(r);
    route->key = token.len > 0 ? api_keys_find(keys, token) : NULL;
    if (!route->key)
        return refuse_stranger(r, out);
    if (!route->op || api_key_may_call(route->key, api_op_pos(route->op)))
        return true;
    (void)api_fault_set(&fault, 403, "forbidden", NULL, "this key may not call %s",
                        route->op->name);
    return refuse(out, &fault);
}

bool api_route_find(const struct web_conf *conf, const struct api_keys *keys,
                    const struct http_request *r, struct api_route *route, struct api_answer *out)
{
    struct api_fault fault;
    put_cors(conf, r, out);
    if (!find_place(r->path, route)) {
        (void)api_fault_set(&fault, 404, "no_such_call", NULL, "see /api/openapi.json");
        return refuse(out, &fault);
    }
    if (is_preflight(conf, r)) {
        route->place = API_PLACE_PREFLIGHT;
        buf_printf(&out->lines,
                   "Access-Control-Allow-Methods: %s\r\n"
                   "Access-Control-Allow-Headers: authorization, content-type\r\n"
                   "Access-Control-Max-Age: 600\r\n",
                   allowed_method(route));
        return true;
    }
    if (!is_method_right(route, r->method))
        return refuse_method(route, out);
    if (route->place == API_PLACE_OPENAPI)
        return true;
    if (!judge_key(keys, r, route, out))
        return false;
    return allowed_method(route)[0] != 'P' || judge_body(conf, r, out);
}
