/* What a worker is told about a handshake: the get, server and cookie arrays of PHP. */
#include "proto/php_request.h"

#include "proto/php_value.h"

static void set(struct php_doc *d, struct php_value *array, const char *key, struct php_value *v)
{
    php_set_over(d, array, php_key_of(span_str(key)), v);
}

static bool is_same_name(struct span a, struct span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        uint8_t x = a.at[i], y = b.at[i];
        if (x >= 'A' && x <= 'Z')
            x |= 0x20;
        if (y >= 'A' && y <= 'Z')
            y |= 0x20;
        if (x != y)
            return false;
    }
    return true;
}

static bool is_repeated(const struct http_request *r, size_t pos)
{
    for (size_t i = 0; i < pos; i++)
        if (is_same_name(r->headers[i].name, r->headers[pos].name))
            return true;
    return false;
}

/* All values of headers[pos] and its repetitions, joined by commas (vector repeated_header). */
static struct php_value *joined(struct php_doc *d, const struct http_request *r, size_t pos)
{
    struct buf text = {0};

    buf_put_span(&text, r->headers[pos].value);
    for (size_t i = pos + 1; i < r->headers_n; i++) {
        if (!is_same_name(r->headers[i].name, r->headers[pos].name))
            continue;
        buf_putc(&text, ',');
        buf_put_span(&text, r->headers[i].value);
    }
    struct php_value *v = php_new_string(d, buf_span(&text));
    buf_fini(&text);
    return v;
}

static struct php_value *header(struct php_doc *d, const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->headers_n; i++)
        if (is_same_name(r->headers[i].name, span_str(name)))
            return joined(d, r, i);
    return php_new_null(d);
}

/* "X-Real-IP" → "HTTP_X_REAL_IP" */
static struct php_key header_key(struct php_doc *d, struct span name)
{
    static const char prefix[] = "HTTP_";
    size_t prefix_len = sizeof prefix - 1;
    uint8_t *text = php_doc_text(d, prefix_len + name.len);

    memcpy(text, prefix, prefix_len);
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.at[i];
        if (c >= 'a' && c <= 'z')
            c &= (uint8_t)~0x20;
        text[prefix_len + i] = c == '-' ? '_' : c;
    }
    return (struct php_key){.text = span_of(text, prefix_len + name.len)};
}

static struct php_value *server_array(struct php_doc *d, const struct http_request *r,
                                      const char *remote_addr, uint16_t remote_port,
                                      uint16_t server_port, struct span subprotocol)
{
    struct php_value *server = php_new_array(d);
    char protocol[] = "HTTP/1.0";

    protocol[sizeof protocol - 2] = (char)('0' + r->minor % 10);
    set(d, server, "QUERY_STRING", php_new_string(d, r->query));
    set(d, server, "REQUEST_METHOD", php_new_string(d, r->method));
    set(d, server, "REQUEST_URI", php_new_string(d, r->target));
    set(d, server, "SERVER_PROTOCOL", php_new_string(d, span_str(protocol)));
    set(d, server, "SERVER_NAME", header(d, r, "Host"));
    set(d, server, "CONTENT_TYPE", header(d, r, "Content-Type"));
    set(d, server, "REMOTE_ADDR", php_new_string(d, span_str(remote_addr)));
    set(d, server, "REMOTE_PORT", php_new_int(d, remote_port));
    set(d, server, "SERVER_PORT", php_new_int(d, server_port));
    for (size_t i = 0; i < r->headers_n; i++)
        if (!is_repeated(r, i))
            php_set_over(d, server, header_key(d, r->headers[i].name), joined(d, r, i));
    if (subprotocol.len > 0)
        set(d, server, "SUBPROTOCOL", php_new_string(d, subprotocol));
    return server;
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
static struct php_value *cookie_array(struct php_doc *d, const struct http_request *r)
{
    struct php_value *cookies = php_new_array(d);
    struct span rest = php_string(header(d, r, "Cookie"));

    while (rest.len > 0) {
        struct span value = span_cut(&rest, ';');
        if (span_find(value, '=') < 0)
            continue;
        struct span name = trim_name(span_cut(&value, '='));
        php_set(d, cookies, php_key_of(name), php_new_string(d, value));
    }
    return cookies;
}

void php_put_request(struct buf *out, const struct http_request *r, const char *remote_addr,
                     uint16_t remote_port, uint16_t server_port, struct span subprotocol)
{
    struct php_doc *d = php_doc_new();
    struct php_value *all = php_new_array(d);

    set(d, all, "get", php_parse_query(d, r->query));
    set(d, all, "server", server_array(d, r, remote_addr, remote_port, server_port, subprotocol));
    set(d, all, "cookie", cookie_array(d, r));
    php_write(all, out);
    php_doc_free(d);
}
