/* RFC 3986 as far as the forms need it: scheme, user information, host, port, path, query. */
#include "store/url.h"

#include <string.h>

#include <gw/err.h>

#include "base/hex.h"
#include "base/mem.h"
#include "base/span.h"

enum { REDIS_PORT = 6379, DB_MAX = 1000000 };
enum { TIMEOUT_MS = 1000, TIMEOUT_MIN_MS = 10, TIMEOUT_MAX_MS = 60000 };

/* Text with %XX undone; NULL when an escape is broken or stands for NUL. */
static char *unescape(struct span text)
{
    char *out = mem_alloc(text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        int byte = text.at[i];
        if (byte == '%') {
            int high = i + 2 < text.len ? hex_digit(text.at[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.at[i + 2]) : -1;
            byte = low >= 0 ? high * 16 + low : 0;
            i += 2;
        }
        if (byte == 0) {
            mem_free(out);
            return NULL;
        }
        out[n++] = (char)byte;
    }
    out[n] = '\0';
    return out;
}

static int complain(struct buf *error, const char *what)
{
    buf_puts(error, what);
    return GW_ECONF;
}

static int set_text(char **to, struct span text, struct buf *error)
{
    *to = unescape(text);
    return *to ? 0 : complain(error, "a % must be followed by two hexadecimal digits, not 00");
}

/* "timeout_ms=500&db=2" */
static int read_query(struct span query, struct store_url *u, struct buf *error)
{
    while (query.len > 0) {
        struct span value = span_cut(&query, '&');
        struct span name = span_cut(&value, '=');
        uint64_t number = 0;
        bool is_number = span_to_u64(value, &number);
        if (span_is(name, "timeout_ms")) {
            if (!is_number || number < TIMEOUT_MIN_MS || number > TIMEOUT_MAX_MS)
                return complain(error, "timeout_ms must be 10 to 60000");
            u->timeout_ms = number;
        } else if (span_is(name, "db") && u->kind == STORE_REDIS) {
            if (!is_number || number > DB_MAX)
                return complain(error, "db must be a number");
            u->db = (uint32_t)number;
        } else
            return complain(error, u->kind == STORE_REDIS
                                       ? "behind ? only timeout_ms and db are known"
                                       : "behind ? only timeout_ms is known");
    }
    return 0;
}

/* "user:password@" in front, if it is there; the last @ ends it. */
static int cut_user(struct span *place, struct store_url *u, struct buf *error)
{
    const uint8_t *at = place->len > 0 ? memrchr(place->at, '@', place->len) : NULL;

    if (!at)
        return 0;
    struct span login = span_of(place->at, (size_t)(at - place->at));
    *place = span_skip(*place, login.len + 1);
    struct span user = span_cut(&login, ':');
    int rc = user.len > 0 ? set_text(&u->user, user, error) : 0;
    if (rc == 0 && login.at)
        rc = set_text(&u->password, login, error);
    if (rc == 0 && u->user && !u->password)
        rc = complain(error, "a user needs a password: redis://user:password@host");
    return rc;
}

static int read_port(struct span text, struct store_url *u, struct buf *error)
{
    uint64_t port;

    if (!span_to_u64(text, &port) || port < 1 || port > UINT16_MAX)
        return complain(error, "the port must be 1 to 65535");
    u->port = (uint16_t)port;
    return 0;
}

/* "host", "host:port", "[::1]:port" */
static int read_host(struct span place, struct store_url *u, struct buf *error)
{
    struct span host;

    if (place.len > 0 && place.at[0] == '[') {
        place = span_skip(place, 1);
        host = span_cut(&place, ']');
        if (place.len > 0 && place.at[0] == ':')
            place = span_skip(place, 1);
        else if (place.at && place.len == 0)
            place.at = NULL;
    } else
        host = span_cut(&place, ':');
    if (host.len == 0)
        return complain(error, "the host is missing: redis://127.0.0.1:6379/0");
    int rc = set_text(&u->host, host, error);
    return rc == 0 && place.at ? read_port(place, u, error) : rc;
}

static int read_tcp(struct span rest, struct store_url *u, struct buf *error)
{
    struct span place = span_cut(&rest, '/');
    struct buf shown = {0};
    uint64_t db = 0;
    int rc = cut_user(&place, u, error);

    u->port = REDIS_PORT;
    if (rc == 0)
        rc = read_host(place, u, error);
    if (rc < 0)
        return rc;
    if (rest.len > 0 && (!span_to_u64(rest, &db) || db > DB_MAX))
        return complain(error, "behind the / comes the number of a database");
    u->db = (uint32_t)db;
    buf_printf(&shown, "redis://%s:%u/%u", u->host, u->port, u->db);
    u->shown = mem_strdup(buf_cstr(&shown));
    buf_fini(&shown);
    return 0;
}

static int read_path(const char *scheme, struct span rest, struct store_url *u, struct buf *error)
{
    struct buf shown = {0};
    int rc = u->kind == STORE_REDIS ? cut_user(&rest, u, error) : 0;

    if (rc < 0)
        return rc;
    if (rest.len == 0)
        return complain(error, "the path is missing");
    rc = set_text(&u->path, rest, error);
    if (rc < 0)
        return rc;
    buf_printf(&shown, "%s%s", scheme, u->path);
    u->shown = mem_strdup(buf_cstr(&shown));
    buf_fini(&shown);
    return 0;
}

/* Cuts the scheme off the front, if it is that one. */
static bool cut_scheme(struct span *url, const char *scheme)
{
    size_t len = strlen(scheme);

    if (url->len < len || memcmp(url->at, scheme, len) != 0)
        return false;
    *url = span_skip(*url, len);
    return true;
}

static int read_url(struct span query, struct store_url *u, struct buf *error)
{
    struct span place = span_cut(&query, '?');
    int rc;

    u->kind = STORE_REDIS;
    if (cut_scheme(&place, "sqlite:")) {
        u->kind = STORE_SQLITE;
        rc = read_path("sqlite:", place, u, error);
    } else if (cut_scheme(&place, "redis://"))
        rc = read_tcp(place, u, error);
    else if (cut_scheme(&place, "redis+unix://"))
        rc = read_path("redis+unix://", place, u, error);
    else if (cut_scheme(&place, "rediss://"))
        rc = complain(error, "TLS to Redis is not supported; use a tunnel such as stunnel");
    else
        rc = complain(error, "write sqlite:PATH, redis://HOST:PORT/DB or redis+unix://PATH");
    return rc < 0 ? rc : read_query(query, u, error);
}

int store_url_parse(const char *text, struct store_url *out, struct buf *error)
{
    *out = (struct store_url){.timeout_ms = TIMEOUT_MS};
    int rc = read_url(span_str(text), out, error);

    if (rc < 0)
        store_url_fini(out);
    return rc;
}

void store_url_fini(struct store_url *u)
{
    mem_free(u->path);
    mem_free(u->host);
    mem_free(u->user);
    mem_free(u->password);
    mem_free(u->shown);
    *u = (struct store_url){0};
}
