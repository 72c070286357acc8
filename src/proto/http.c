/* Request heads (RFC 9112): reading them so that no other reader could understand them otherwise.
 */
#include "proto/http.h"

#include <gw/err.h>

#include "base/bytes.h"
#include "base/swar.h"

enum { HTTP_METHOD_MAX = 32 };

/* A set of bytes: one bit for each, from '\0' in the first word to '\377' in the last. */
struct byte_set {
    uint64_t words[4];
};

/* Digits, letters, and !#$%&'*+-.^_`|~ (RFC 9110 §5.6.2). */
static const struct byte_set token_chars = {{0x03ff6cfa00000000, 0x57ffffffc7fffffe}};
/* Blanks, controls, and /?#@\<>"^`{|}, (RFC 3986 §3.2.2). */
static const struct byte_set no_host_chars = {{0xd000900dffffffff, 0x3800000150000001}};

static bool is_among(const struct byte_set *set, uint8_t c)
{
    return set->words[c / 64] >> c % 64 & 1;
}

bool http_is_token_char(uint8_t c)
{
    return is_among(&token_chars, c);
}

static bool is_token(struct span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!http_is_token_char(s.at[i]))
            return false;
    return s.len > 0;
}

static struct span trim_blanks(struct span s)
{
    while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
        s = span_skip(s, 1);
    while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static ssize_t refuse(struct http_request *r, int code, int status, const char *text)
{
    r->error_status = status;
    r->error_text = text;
    return code;
}

static ssize_t refuse_bad(struct http_request *r, const char *text)
{
    return refuse(r, GW_EPROTO, 400, text);
}

/* RFC 9112 §2.2: an empty line before the request line is skipped, but only one. */
static size_t leading_blank(struct span in)
{
    if (in.len >= 1 && in.at[0] == '\n')
        return 1;
    return in.len >= 2 && in.at[0] == '\r' && in.at[1] == '\n' ? 2 : 0;
}

/* The length of the head, its empty line included, or 0: the end is not there. */
static size_t find_head_end(struct span in, size_t *searched)
{
    size_t at = *searched > 0 ? *searched : leading_blank(in);
    while (at < in.len) {
        ptrdiff_t found = span_find(span_skip(in, at), '\n');
        if (found < 0) {
            *searched = in.len;
            return 0;
        }
        size_t next = at + (size_t)found + 1;
        if (next < in.len && in.at[next] == '\n')
            return next + 1;
        if (next + 1 < in.len && in.at[next] == '\r' && in.at[next + 1] == '\n')
            return next + 2;
        *searched = next - 1; /* this \n may begin the empty line: look at it again */
        if (next == in.len || (next + 1 == in.len && in.at[next] == '\r'))
            return 0;
        at = next;
    }
    return 0;
}

/* Judges a head that is not whole within max_bytes: what can be seen of it must be possible. */
static ssize_t judge_partial(struct span in, size_t max_bytes, struct http_request *r)
{
    if (in.len == 1 && in.at[0] == '\r')
        return 0;
    size_t skip = leading_blank(in);
    struct span line = span_skip(in, skip);
    size_t method_len = 0;
    while (method_len < line.len && http_is_token_char(line.at[method_len]))
        method_len++;
    if (method_len > HTTP_METHOD_MAX)
        return refuse(r, GW_EPROTO, 501, "The method is not known here.");
    if (method_len < line.len && (method_len == 0 || line.at[method_len] != ' '))
        return refuse_bad(r, "This is not an HTTP request.");
    if (max_bytes == 0 || in.len < max_bytes)
        return 0;
    line.len = max_bytes > skip ? max_bytes - skip : 0;
    if (span_find(line, '\n') < 0) /* RFC 9112 §3 */
        return refuse(r, GW_ETOOBIG, 414, "The request target is too long.");
    return refuse(r, GW_ETOOBIG, 431, "The request head is too large.");
}

static struct span cut_line(struct span *rest)
{
    struct span line = span_cut(rest, '\n');
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* A CR anywhere but in its end, or a NUL, is nobody's line (RFC 9112 §2.2). */
static bool is_line(struct span line)
{
    return span_find(line, '\r') < 0 && span_find(line, '\0') < 0;
}

/* "HTTP/1.1" (RFC 9112 §2.3): one digit each, capitals only. */
static ssize_t parse_version(struct span s, struct http_request *r)
{
    bool is_version = s.len == 8 && memcmp(s.at, "HTTP/", 5) == 0 && s.at[5] >= '0' &&
                      s.at[5] <= '9' && s.at[6] == '.' && s.at[7] >= '0' && s.at[7] <= '9';
    if (!is_version)
        return refuse_bad(r, "The request line is malformed.");
    if (s.at[5] != '1')
        return refuse(r, GW_EPROTO, 505, "Only HTTP/1.1 is spoken here.");
    r->minor = s.at[7] - '0';
    return 0;
}

/* The part of an absolute target behind its authority; the whole of any other. RFC 9112 §3.2.2 */
static bool skip_authority(struct span *target)
{
    size_t scheme_len = 0;
    if (target->len >= 7 && span_eq_nocase(span_of(target->at, 7), "http://"))
        scheme_len = 7;
    else if (target->len >= 8 && span_eq_nocase(span_of(target->at, 8), "https://"))
        scheme_len = 8;
    if (scheme_len == 0)
        return target->len > 0 && target->at[0] == '/';
    *target = span_skip(*target, scheme_len);
    size_t authority_len = 0;
    while (authority_len < target->len && !strchr("/?#", target->at[authority_len]))
        authority_len++;
    *target = span_skip(*target, authority_len);
    return authority_len > 0;
}

/* Bytes above 127 are passed on (vector bad_utf8_header), controls never; blanks were cut at. */
static ssize_t parse_target(struct http_request *r)
{
    for (size_t i = 0; i < r->target.len; i++)
        if (r->target.at[i] < ' ' || r->target.at[i] == 0x7f)
            return refuse_bad(r, "The request target is malformed.");
    struct span rest = r->target;
    bool is_whole_server = span_is(rest, "*") && span_is(r->method, "OPTIONS");
    if (!is_whole_server && !skip_authority(&rest))
        return refuse_bad(r, "The request target must be a path.");
    rest = span_cut(&rest, '#');
    r->path = span_cut(&rest, '?');
    r->query = rest.at ? rest : span_of("", 0);
    if (r->path.len == 0)
        r->path = span_of("/", 1);
    return 0;
}

static ssize_t parse_request_line(struct span line, struct http_request *r)
{
    r->method = span_cut(&line, ' ');
    if (!is_token(r->method) || !line.at)
        return refuse_bad(r, "The request line is malformed.");
    if (r->method.len > HTTP_METHOD_MAX)
        return refuse(r, GW_EPROTO, 501, "The method is not known here.");
    r->target = span_cut(&line, ' ');
    ssize_t rc = parse_version(line, r);
    return rc < 0 ? rc : parse_target(r);
}

static bool has_control(uint64_t eight)
{
    uint64_t x = eight & EACH(0x7f);
    return ((swar_in_range(x, 0, 0x1f) | swar_in_range(x, 0x7f, 0x7f)) & ~eight) != 0;
}

/* RFC 9110 §5.5: no controls but the tab. */
static bool is_value(struct span s)
{
    size_t i = 0;
    while (s.len - i >= sizeof(uint64_t) && !has_control(get_u64be(s.at + i)))
        i += sizeof(uint64_t);
    for (; i < s.len; i++)
        if ((s.at[i] < ' ' && s.at[i] != '\t') || s.at[i] == 0x7f)
            return false;
    return true;
}

bool http_parse_field(struct span line, struct http_header *out)
{
    ptrdiff_t colon = span_find(line, ':');
    if (colon < 0)
        return false;
    out->name = span_of(line.at, (size_t)colon);
    out->value = trim_blanks(span_skip(line, (size_t)colon + 1));
    /* A token: also no blank before the colon, no folded line (§5.1, §5.2) */
    return is_token(out->name) && is_value(out->value);
}

/* Of a line that is no field: 0 when it may be left out. */
static ssize_t judge_stray(struct span line, struct http_request *r)
{
    if (!is_line(line))
        return refuse_bad(r, "A header line holds a control character.");
    if (span_find(line, ':') >= 0 || !http_is_token_char(line.at[0]))
        return refuse_bad(r, "A header line is malformed.");
    r->has_stray_lines = true;
    return 0;
}

static ssize_t parse_fields(struct span rest, struct http_request *r)
{
    struct span line;
    while ((line = cut_line(&rest)).len > 0) {
        struct http_header field;
        if (!http_parse_field(line, &field)) {
            ssize_t rc = judge_stray(line, r);
            if (rc < 0)
                return rc;
            continue;
        }
        if (r->headers_n == HTTP_HEADERS_MAX)
            return refuse(r, GW_ETOOBIG, 431, "The request has too many headers.");
        r->headers[r->headers_n++] = field;
    }
    return 0;
}

/* RFC 9112 §3.2: exactly one Host in HTTP/1.1, and nothing in it that a host name cannot hold. */
static ssize_t judge_host(struct http_request *r)
{
    size_t hosts_n = 0;
    for (size_t i = 0; i < r->headers_n; i++) {
        if (!span_eq_nocase(r->headers[i].name, "host"))
            continue;
        hosts_n++;
        struct span v = r->headers[i].value;
        for (size_t j = 0; j < v.len; j++)
            if (is_among(&no_host_chars, v.at[j]))
                return refuse_bad(r, "The Host header is malformed.");
    }
    if (hosts_n > 1 || (hosts_n == 0 && r->minor > 0))
        return refuse_bad(r, "Exactly one Host header is needed.");
    return 0;
}

/* Equal lengths may be repeated (RFC 9112 §6.3 item 5), as headers or in a list; others may not. */
static bool merge_content_length(struct span value, bool *has_length, uint64_t *length)
{
    do {
        uint64_t n;
        if (!span_to_u64(trim_blanks(span_cut(&value, ',')), &n))
            return false;
        if (*has_length && n != *length)
            return false;
        *has_length = true;
        *length = n;
    } while (value.at);
    return true;
}

/* RFC 9112 §6.1, §6.3: a body has one length that everybody reads alike, or the request is refused.
 */
static ssize_t judge_length(struct http_request *r)
{
    bool has_length = false;
    unsigned codings_n = 0;
    for (size_t i = 0; i < r->headers_n; i++) {
        const struct http_header *h = &r->headers[i];
        if (span_eq_nocase(h->name, "content-length")) {
            if (!merge_content_length(h->value, &has_length, &r->content_length))
                return refuse_bad(r, "The Content-Length is malformed or given twice.");
        } else if (span_eq_nocase(h->name, "transfer-encoding")) {
            codings_n++;
            r->is_chunked = span_eq_nocase(h->value, "chunked");
        }
    }
    if (codings_n > 0 && (has_length || r->minor == 0))
        return refuse_bad(r, "Transfer-Encoding contradicts the rest of the request.");
    if (codings_n > 1 || (codings_n == 1 && !r->is_chunked))
        return refuse(r, GW_EPROTO, 501, "Chunked is the only transfer coding known here.");
    r->has_body = r->is_chunked || r->content_length > 0;
    return 0;
}

static ssize_t parse_head(struct span head, struct http_request *r)
{
    struct span line = cut_line(&head);
    if (!is_line(line))
        return refuse_bad(r, "The request line holds a control character.");
    ssize_t rc = parse_request_line(line, r);
    if (rc == 0)
        rc = parse_fields(head, r);
    if (rc == 0)
        rc = judge_host(r);
    if (rc == 0)
        rc = judge_length(r);
    if (rc == 0)
        r->is_keep_alive = r->minor == 0 ? http_header_has(r, "connection", "keep-alive") &&
                                               !http_header_has(r, "connection", "close")
                                         : !http_header_has(r, "connection", "close");
    return rc;
}

ssize_t http_resume_request(struct span in, size_t max_bytes, size_t *searched,
                            struct http_request *out)
{
    /* The table of headers is left as it is: clearing two kilobytes per request buys nothing. */
    memset(out, 0, offsetof(struct http_request, headers));
    out->is_keep_alive = out->is_chunked = out->has_body = out->has_stray_lines = false;
    out->content_length = 0;
    out->error_status = 0;
    out->error_text = NULL;

    size_t len = find_head_end(in, searched);
    if (len == 0 || (max_bytes > 0 && len > max_bytes))
        return judge_partial(in, max_bytes, out);
    size_t skip = leading_blank(in);
    ssize_t rc = parse_head(span_of(in.at + skip, len - skip), out);
    return rc < 0 ? rc : (ssize_t)len;
}

ssize_t http_parse_request(struct span in, size_t max_bytes, struct http_request *out)
{
    size_t searched = 0;
    return http_resume_request(in, max_bytes, &searched, out);
}

struct span http_header(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->headers_n; i++)
        if (span_eq_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return (struct span){0};
}

bool http_lists(struct span value, const char *token)
{
    while (value.at)
        if (span_eq_nocase(trim_blanks(span_cut(&value, ',')), token))
            return true;
    return false;
}

bool http_header_has(const struct http_request *r, const char *name, const char *token)
{
    for (size_t i = 0; i < r->headers_n; i++) {
        const struct http_header *h = &r->headers[i];
        if (span_eq_nocase(h->name, name) && http_lists(h->value, token))
            return true;
    }
    return false;
}
