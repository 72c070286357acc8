/* What a worker is told about a handshake: the get, server and cookie arrays of PHP.
 *
 * Written straight into the answer: of the three arrays only a query and cookies can name a key
 * twice in ways that need a table. */
#include "proto/php_request.h"

#include "proto/php_value.h"

static bool is_same_name(struct span a, struct span b)
{
    return a.len == b.len && span_same_nocase(a.at, (const char *)b.at, a.len);
}

static bool is_repeated(const struct http_request *r, size_t pos)
{
    for (size_t i = 0; i < pos; i++)
        if (is_same_name(r->headers[i].name, r->headers[pos].name))
            return true;
    return false;
}

/* All values of headers[pos] and its repetitions, joined by commas (vector repeated_header). They
 * lie in the request, or in `room` when there are several. */
static struct span joined(struct buf *room, const struct http_request *r, size_t pos)
{
    bool is_alone = true;
    for (size_t i = pos + 1; i < r->headers_n; i++) {
        if (!is_same_name(r->headers[i].name, r->headers[pos].name))
            continue;
        if (is_alone)
            buf_put_span(room, r->headers[pos].value);
        is_alone = false;
        buf_putc(room, ',');
        buf_put_span(room, r->headers[i].value);
    }
    return is_alone ? r->headers[pos].value : buf_span(room);
}

static void put_joined(struct buf *out, const struct http_request *r, size_t pos)
{
    struct buf room = {0};
    php_put_string(out, joined(&room, r, pos));
    buf_fini(&room);
}

/* The first header of that name, or HTTP_HEADERS_MAX. */
static size_t find(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->headers_n; i++)
        if (is_same_name(r->headers[i].name, span_str(name)))
            return i;
    return HTTP_HEADERS_MAX;
}

static void put_header(struct buf *out, const char *key, const struct http_request *r,
                       const char *name)
{
    size_t pos = find(r, name);
    php_put_string(out, span_str(key));
    if (pos < r->headers_n)
        put_joined(out, r, pos);
    else
        php_put_null(out);
}

static void put_text(struct buf *out, const char *key, struct span text)
{
    php_put_string(out, span_str(key));
    php_put_string(out, text);
}

static void put_number(struct buf *out, const char *key, uint16_t number)
{
    php_put_string(out, span_str(key));
    php_put_int(out, number);
}

/* ---- HTTP_… ---- */

static uint8_t key_byte(uint8_t c)
{
    if (c >= 'a' && c <= 'z')
        return c & (uint8_t)~0x20;
    return c == '-' ? '_' : c;
}

/* "X-Real-IP" and "x_real_ip" are two headers, but one key. */
static bool is_same_key(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (key_byte(a.at[i]) != key_byte(b.at[i]))
            return false;
    return true;
}

/* A bit for every header that is the first of its key. */
static uint64_t first_of_keys(const struct http_request *r)
{
    _Static_assert(HTTP_HEADERS_MAX <= 64, "a bit per header");
    uint64_t firsts = 0;
    for (size_t i = 0; i < r->headers_n; i++) {
        size_t before = 0;
        while (before < i && !is_same_key(r->headers[before].name, r->headers[i].name))
            before++;
        firsts |= (uint64_t)(before == i) << i;
    }
    return firsts;
}

/* Of several names with one key the last one sets the value, at the place of the first. */
static size_t speaker_of(const struct http_request *r, size_t pos)
{
    size_t speaker = pos;
    for (size_t i = pos + 1; i < r->headers_n; i++)
        if (is_same_key(r->headers[i].name, r->headers[pos].name) && !is_repeated(r, i))
            speaker = i;
    return speaker;
}

/* "X-Real-IP" → "HTTP_X_REAL_IP" */
static void put_header_key(struct buf *out, struct span name)
{
    static const char prefix[] = "HTTP_";
    size_t prefix_len = sizeof prefix - 1;
    uint8_t *to = php_put_string_room(out, prefix_len + name.len);
    memcpy(to, prefix, prefix_len);
    for (size_t i = 0; i < name.len; i++)
        to[prefix_len + i] = key_byte(name.at[i]);
}

/* ---- the arrays ---- */

static void put_server(struct buf *out, const struct http_request *r, const char *remote_addr,
                       uint16_t remote_port, uint16_t server_port, struct span subprotocol)
{
    enum { FIXED_N = 9 };
    uint64_t firsts = first_of_keys(r);
    char protocol[] = "HTTP/1.0";

    protocol[sizeof protocol - 2] = (char)('0' + r->minor % 10);
    php_put_array(out, FIXED_N + (size_t)__builtin_popcountll(firsts) + (subprotocol.len > 0));
    put_text(out, "QUERY_STRING", r->query);
    put_text(out, "REQUEST_METHOD", r->method);
    put_text(out, "REQUEST_URI", r->target);
    put_text(out, "SERVER_PROTOCOL", span_str(protocol));
    put_header(out, "SERVER_NAME", r, "Host");
    put_header(out, "CONTENT_TYPE", r, "Content-Type");
    put_text(out, "REMOTE_ADDR", span_str(remote_addr));
    put_number(out, "REMOTE_PORT", remote_port);
    put_number(out, "SERVER_PORT", server_port);
    for (size_t i = 0; i < r->headers_n; i++) {
        if (!(firsts >> i & 1))
            continue;
        put_header_key(out, r->headers[i].name);
        put_joined(out, r, speaker_of(r, i));
    }
    if (subprotocol.len > 0)
        put_text(out, "SUBPROTOCOL", subprotocol);
    php_put_array_end(out);
}

/* PHP's trim() also takes NUL and vertical tab. */
static struct span trim_name(struct span s)
{
    static const char blanks[] = " \t\n\r\v";

    while (s.len > 0 && memchr(blanks, s.at[0], sizeof blanks))
        s = span_skip(s, 1);
    while (s.len > 0 && memchr(blanks, s.at[s.len - 1], sizeof blanks))
        s.len--;
    return s;
}

/* Names are trimmed, values neither trimmed nor decoded; pairs without `=` are left out. */
static struct php_value *cookie_array(struct php_doc *d, struct span rest)
{
    struct php_value *cookies = php_new_array(d);

    while (rest.len > 0) {
        struct span value = span_cut(&rest, ';');
        if (span_find(value, '=') < 0)
            continue;
        struct span name = trim_name(span_cut(&value, '='));
        php_set(d, cookies, php_key_of(name), php_new_string(d, value));
    }
    return cookies;
}

static void put_array(struct buf *out, struct span text,
                      struct php_value *(*read)(struct php_doc *d, struct span text))
{
    if (text.len == 0) {
        php_put_array(out, 0);
        php_put_array_end(out);
        return;
    }
    struct php_doc *d = php_doc_new();
    php_write(read(d, text), out);
    php_doc_free(d);
}

static void put_cookies(struct buf *out, const struct http_request *r)
{
    struct buf room = {0};
    size_t pos = find(r, "Cookie");
    put_array(out, pos < r->headers_n ? joined(&room, r, pos) : span_of(NULL, 0), cookie_array);
    buf_fini(&room);
}

void php_put_request(struct buf *out, const struct http_request *r, const char *remote_addr,
                     uint16_t remote_port, uint16_t server_port, struct span subprotocol)
{
    php_put_array(out, 3);
    php_put_string(out, span_str("get"));
    put_array(out, r->query, php_parse_query);
    php_put_string(out, span_str("server"));
    put_server(out, r, remote_addr, remote_port, server_port, subprotocol);
    php_put_string(out, span_str("cookie"));
    put_cookies(out, r);
    php_put_array_end(out);
}
