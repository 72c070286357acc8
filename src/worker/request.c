/* Values are looked up when they are asked for, and handed out as text that lives with the request.
 */
#include "worker/request.h"

#include <ctype.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/phpser.h"

struct gw_request {
    struct php_doc *doc;
    const struct php_value *get;
    const struct php_value *server;
    const struct php_value *cookie;
    const char *subprotocol; /* NULL: what server has */
    struct arena *texts;     /* behind a pointer: the request is const to those who read it */
    struct arena own_texts;
};

static const struct php_value *part(const struct php_value *all, const char *name)
{
    const struct php_value *v = all && php_type(all) == PHP_ARRAY ? php_get(all, name) : NULL;

    return v && php_type(v) == PHP_ARRAY ? v : NULL;
}

struct gw_request *request_new(struct span serialized)
{
    static struct log_rate rate;
    struct gw_request *r = mem_zalloc(sizeof *r);
    int err = 0;

    r->texts = &r->own_texts;
    r->doc = php_doc_new();
    const struct php_value *all = php_read(r->doc, serialized, &err);
    if (!all)
        log_limited(&rate, LOG_WARN, "a gateway sent a handshake that does not decode: %s",
                    gw_strerror(err));
    r->get = part(all, "get");
    r->server = part(all, "server");
    r->cookie = part(all, "cookie");
    return r;
}

void request_free(struct gw_request *r)
{
    if (!r)
        return;
    php_doc_free(r->doc);
    arena_fini(&r->own_texts);
    mem_free(r);
}

static const char *text_in(const struct gw_request *r, const struct php_value *array,
                           const char *name)
{
    const struct php_value *v = array && name ? php_get(array, name) : NULL;
    char digits[24];

    if (!v)
        return NULL;
    if (php_type(v) == PHP_STRING)
        return arena_text(r->texts, php_string(v));
    if (php_type(v) != PHP_INT) /* lists like a[]=1, and null for headers that were not sent */
        return NULL;
    int len = snprintf(digits, sizeof digits, "%lld", (long long)php_int(v));
    return arena_text(r->texts, span_of(digits, (size_t)len));
}

const char *gw_request_get(const struct gw_request *r, const char *name)
{
    return text_in(r, r->get, name);
}

const char *gw_request_cookie(const struct gw_request *r, const char *name)
{
    return text_in(r, r->cookie, name);
}

const char *gw_request_server(const struct gw_request *r, const char *name)
{
    return text_in(r, r->server, name);
}

const char *gw_request_query(const struct gw_request *r)
{
    const char *query = gw_request_server(r, "QUERY_STRING");

    return query ? query : "";
}

const char *gw_request_path(const struct gw_request *r)
{
    const char *uri = gw_request_server(r, "REQUEST_URI");

    if (!uri)
        return NULL;
    struct span rest = span_str(uri);
    return arena_text(r->texts, span_cut(&rest, '?'));
}

/* "User-Agent" is kept as HTTP_USER_AGENT (vectors/client-protocols.json, websocket_handshake). */
const char *gw_request_header(const struct gw_request *r, const char *name)
{
    struct buf key = {0};

    if (!name)
        return NULL;
    buf_puts(&key, "HTTP_");
    for (const char *c = name; *c != '\0'; c++)
        buf_putc(&key, *c == '-' ? '_' : (uint8_t)toupper((unsigned char)*c));
    const char *value = gw_request_server(r, buf_cstr(&key));
    buf_fini(&key);
    return value;
}

const char *request_subprotocols(const struct gw_request *r)
{
    return gw_request_header(r, "Sec-WebSocket-Protocol");
}

void request_set_subprotocol(struct gw_request *r, const char *name)
{
    r->subprotocol = name;
}

const char *gw_request_subprotocol(const struct gw_request *r)
{
    return r->subprotocol ? r->subprotocol : gw_request_server(r, "SUBPROTOCOL");
}
