/* The [web] section: one table for the parser, the check and the reference. */
#include "web/web_conf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <gw/err.h>

#include "net/cidr_conf.h"
#include "proto/http.h"
#include "web/api_conf.h"
#include "web/api_route.h"

#define WEB_KEY(key_name, key_type, field, ...)                                                    \
    {                                                                                              \
        .name = key_name, .type = key_type, .offset = offsetof(struct web_conf, field),            \
        __VA_ARGS__                                                                                \
    }

/* Scripts, styles and connections of the site itself, images also from Sina's hosts (the chat shows
 * links to them as pictures), nothing inline and nothing else. */
#define WEB_DEFAULT_CSP                                                                            \
    "default-src 'none'; script-src 'self'; style-src 'self'; "                                    \
    "img-src 'self' https://*.sinaimg.cn; font-src 'self'; manifest-src 'self'; "                  \
    "connect-src 'self' ws: wss: http: https:; base-uri 'none'; form-action 'none'; "              \
    "frame-ancestors 'none'"

static const struct conf_key web_keys[] = {
    WEB_KEY("listen", CONF_LIST, listen, .def = "http://0.0.0.0:55151", .unit = "",
            .meaning = "Where pages are served, \"http://ADDRESS:PORT\" or \"http:///unix/path\"; "
                       "may be repeated."),
    WEB_KEY("count", CONF_INT, count, .def = "1", .min = 1, .max = 256, .unit = "",
            .meaning = "Processes that share the listening addresses."),
    WEB_KEY("root", CONF_STR, root, .is_required = true, .unit = "",
            .meaning = "Folder that is served. Names that begin with a dot, and links that lead "
                       "out of it, are not."),
    WEB_KEY("index", CONF_STR, index, .def = "index.html", .unit = "",
            .meaning = "The file that answers for a folder."),
    WEB_KEY("cache_seconds", CONF_INT, cache_seconds, .def = "0", .max = 31536000, .unit = "s",
            .meaning = "How long browsers may use a file without asking again; 0: they ask each "
                       "time and get a 304 while it is unchanged."),
    WEB_KEY("csp", CONF_STR, csp, .def = WEB_DEFAULT_CSP, .unit = "",
            .meaning = "Content-Security-Policy of every answer; empty: none."),
    WEB_KEY("header", CONF_LIST, headers, .unit = "",
            .meaning = "A further header of every answer, \"Name: value\"; may be repeated."),
    WEB_KEY("websocket_url", CONF_STR, websocket_url, .unit = "",
            .meaning = "Where the page finds the gateway, given in /gatehouse.json: "
                       "\"wss://chat.example/ws\", or a path like \"/ws\" behind a proxy. Unset: "
                       "websocket_port of the page's own host."),
    WEB_KEY("websocket_port", CONF_INT, websocket_port, .def = "7272", .min = 1, .max = 65535,
            .unit = "", .meaning = "Port of the gateway on the host that the page came from."),
    WEB_KEY("head_max_bytes", CONF_SIZE, head_max_bytes, .def = "16k", .min = 1024, .max = 1048576,
            .unit = "bytes", .meaning = "Largest request head."),
    WEB_KEY("head_timeout", CONF_SECONDS, head_timeout_ms, .def = "10", .min = 100, .max = 3600000,
            .unit = "s", .meaning = "How long a request head may take from its first byte on."),
    WEB_KEY("keep_alive_timeout", CONF_SECONDS, keep_alive_timeout_ms, .def = "60", .min = 100,
            .max = 3600000, .unit = "s",
            .meaning = "How long a connection may wait for its next request."),
    WEB_KEY("send_timeout", CONF_SECONDS, send_timeout_ms, .def = "30", .min = 100, .max = 3600000,
            .unit = "s",
            .meaning = "A visitor who takes less than 16 KiB in this time is disconnected."),
    WEB_KEY("max_connections", CONF_INT, max_connections, .def = "10000", .min = 1, .max = 1000000,
            .unit = "",
            .meaning = "Connections of one process; past that the one that waits longest for a "
                       "request makes room."),
    REGISTRIES_CONF_KEYS(struct web_conf, registries, REGISTRIES_DEFAULT,
                         "A registry that tells where the gateways are, for the HTTP API."),
    WEB_KEY("api_origin", CONF_LIST, api_origins, .unit = "",
            .meaning = "Whose pages may call the HTTP API from a browser, "
                       "\"https://app.example\"; may be repeated. Unset: nobody's."),
    WEB_KEY("api_max_body", CONF_SIZE, api_max_body_bytes, .def = "1m", .min = 1024, .max = 8 << 20,
            .unit = "bytes", .meaning = "Largest body of a call."),
    WEB_KEY("body_timeout", CONF_SECONDS, body_timeout_ms, .def = "10", .min = 100, .max = 3600000,
            .unit = "s", .meaning = "How long the body of a call may take."),
    WEB_KEY("api_timeout", CONF_SECONDS, api_timeout_ms, .def = "10", .min = 100, .max = 3600000,
            .unit = "s", .meaning = "No further call of a batch begins after that time."),
    WEB_KEY("api_max_calls", CONF_INT, api_max_calls, .def = "256", .min = 1, .max = 100000,
            .unit = "", .meaning = "Calls under way at once in one process; more: 503."),
    WEB_KEY("api_max_batch", CONF_INT, api_max_batch, .def = "100", .min = 1, .max = 10000,
            .unit = "", .meaning = "Calls in one batch."),
    WEB_KEY("api_max_targets", CONF_INT, api_max_targets, .def = "1000", .min = 1, .max = 100000,
            .unit = "", .meaning = "Clients, uids or groups that one call may name."),
    WEB_KEY("api_max_results", CONF_INT, api_max_results, .def = "10000", .min = 1, .max = 1000000,
            .unit = "", .meaning = "Entries in the lists of one answer."),
    WEB_KEY("metrics", CONF_STR, metrics, .unit = "",
            .meaning = "Path where metrics of all processes are served for Prometheus, for "
                       "instance \"/metrics\". Unset: nowhere."),
    WEB_KEY("metrics_allow", CONF_LIST, metrics_allow, .unit = "",
            .meaning = "Addresses that may read them: 10.0.0.0/8, ::1, or unix for peers on unix "
                       "sockets; may be repeated. Unset: this host alone (127.0.0.0/8 and ::1). "
                       "Behind trusted_proxies it is the client's address that counts."),
    TLS_CONF_KEYS(struct web_conf, tls),
    DOOR_CONF_KEYS(struct web_conf, door),
};

const struct conf_table web_conf_table = {
    .kind = "web",
    .meaning = "Serves static files, the chat page or any other site; and the HTTP API when there "
               "is an [api] section.",
    .keys = web_keys,
    .keys_n = ARRAY_LEN(web_keys),
    .conf_bytes = sizeof(struct web_conf),
};

static void check_root(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct web_conf *c = s->conf;
    struct stat st;
    const char *root = conf_path(conf, c->root);
    const char *reason = NULL;
    if (stat(root, &st) < 0)
        reason = strerror(errno);
    else if (!S_ISDIR(st.st_mode))
        reason = "not a folder";
    if (reason)
        conf_complain(conf, s, "root", errors, "%s: %s; name the folder with the pages", root,
                      reason);
}

/* An origin is compared as the browser sends it: RFC 6454 §6.2. */
static void check_origins(const struct conf_section *s, struct buf *errors)
{
    const struct web_conf *c = s->conf;
    for (size_t i = 0; i < c->api_origins.len; i++) {
        const struct conf_item *item = &c->api_origins.at[i];
        const char *host = strstr(item->text, "://");
        if (!host || host[3] == '\0' || strpbrk(host + 3, "/ ,*\""))
            conf_complain_item(s, "api_origin", item, errors,
                               "%s: write it as \"https://host:port\"", item->text);
    }
}

/* The keys belong to the config, not to one of several [web] sections. */
static bool is_first_web(const struct conf *conf, const struct conf_section *s)
{
    for (size_t i = 0; i < conf_sections_n(conf); i++)
        if (conf_section_at(conf, i)->table == s->table)
            return conf_section_at(conf, i) == s;
    return false;
}

static int check_api(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct web_conf *c = s->conf;
    check_origins(s, errors);
    if (!api_conf_is_on(conf))
        return 0;
    if (is_first_web(conf, s) && api_conf_check(conf, errors) < 0)
        return GW_ECONF;
    return registries_check(conf, s, &c->registries, errors);
}

static void check_metrics(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct web_conf *c = s->conf;
    const char *path = c->metrics;
    if (path && *path &&
        (path[0] != '/' || path[1] == '\0' || strpbrk(path, "?# ") ||
         strncmp(path, API_PREFIX, strlen(API_PREFIX)) == 0))
        conf_complain(conf, s, "metrics", errors,
                      "%s: write a path like \"/metrics\", not below " API_PREFIX, path);
}

int web_conf_check(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct web_conf *c = s->conf;
    size_t before = errors->len;
    int rc = check_api(conf, s, errors);
    check_root(conf, s, errors);
    check_metrics(conf, s, errors);
    if (cidr_conf_check(s, "metrics_allow", &c->metrics_allow, errors) < 0)
        rc = GW_ECONF;
    if (door_conf_check(conf, s, &c->door, errors) < 0)
        rc = GW_ECONF;
    if (strchr(c->index, '/') || c->index[0] == '\0')
        conf_complain(conf, s, "index", errors, "%s: must be the name of a file, without a path",
                      c->index);
    for (size_t i = 0; i < c->headers.len; i++) {
        const struct conf_item *item = &c->headers.at[i];
        struct http_header header;
        if (!http_parse_field(span_str(item->text), &header))
            conf_complain_item(s, "header", item, errors, "%s: write it as \"Name: value\"",
                               item->text);
    }
    return errors->len > before ? GW_ECONF : rc;
}
