/* HTTP/1.1 requests with their bodies, the server's side: RFC 9112.
 *
 * A request that lies whole in the input is handed out from there. When its body is still coming,
 * the head is copied into the state and the body collected beside it, so that nothing is read
 * twice and the request stays whole however the caller's input moves. Answers are the business of
 * the caller; only those that end the connection (and 100 Continue) are written here. */
#include "proto/codec.h"

#include <errno.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/mem.h"
#include "proto/http.h"

/* A chunk line holds 16 digits and an extension that nobody uses. */
enum { CHUNK_LINE_MAX = 256 };

enum http_phase {
    HTTP_HEAD,       /* a request head is awaited */
    HTTP_BODY,       /* body_left bytes of a body of known length */
    HTTP_CHUNK_LINE, /* the size of the next chunk */
    HTTP_CHUNK,      /* body_left bytes of a chunk */
    HTTP_CHUNK_END,  /* the line end behind a chunk */
    HTTP_TRAILER,    /* lines behind the last chunk, up to an empty one */
    HTTP_GONE,       /* after the last request, or an error: whatever still comes is dropped */
};

/* One request from its head to the call after it was handed out. */
struct http_exchange {
    struct http_request request;
    struct buf head; /* the copy that the request's spans lie in, when its body came in parts */
    struct buf body;
};

struct http_conn {
    struct http_exchange *exchange;
    union {
        size_t searched;      /* HTTP_HEAD: see http_resume_request() */
        uint64_t body_left;   /* HTTP_BODY, HTTP_CHUNK */
        size_t trailer_bytes; /* HTTP_TRAILER */
    };
    uint8_t phase;
    bool is_lent; /* the last event pointed into the exchange */
};

static void give_back(struct http_conn *c)
{
    if (c->exchange) {
        buf_fini(&c->exchange->head);
        buf_fini(&c->exchange->body);
    }
    mem_free(c->exchange);
    c->exchange = NULL;
    c->is_lent = false;
}

static ssize_t fail(struct http_conn *c, struct buf *reply, ssize_t rc, int status,
                    const char *text)
{
    give_back(c);
    c->phase = HTTP_GONE;
    http_put_error(reply, status, text, clock_wall_s());
    return rc;
}

static ssize_t fail_chunk(struct http_conn *c, struct buf *reply)
{
    return fail(c, reply, GW_EPROTO, 400, "The chunked body is malformed.");
}

/* A peer that wants to close, or that speaks 1.0, is not asked for more requests. */
static void deliver(struct http_conn *c, struct span body, struct codec_event *ev)
{
    ev->kind = CODEC_MESSAGE;
    ev->request = &c->exchange->request;
    ev->payload = body;
    c->is_lent = true;
    c->searched = 0;
    c->phase = c->exchange->request.is_keep_alive ? HTTP_HEAD : HTTP_GONE;
}

static void deliver_collected(struct http_conn *c, struct codec_event *ev)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): behind the head there is an exchange. */
    deliver(c, span_of(c->exchange->body.at, c->exchange->body.len), ev);
}

/* RFC 9110 §10.1.1: who waits for a word before sending the body gets it, unless the body is
 * already on its way. */
static bool wants_continue(const struct http_request *r, size_t body_here)
{
    return r->minor > 0 && body_here == 0 && http_header_has(r, "expect", "100-continue");
}

/* Lays the head into memory of its own, since the input will move before the body is whole. */
static void keep_head(struct http_exchange *x, const uint8_t *at, size_t head_len)
{
    buf_put(&x->head, at, head_len);
    if (http_parse_request(buf_span(&x->head), 0, &x->request) != (ssize_t)head_len)
        log_fatal("a request head of %zu bytes reads differently twice", head_len);
}

static void begin_body(struct http_conn *c, const uint8_t *at, size_t head_len, size_t body_here,
                       struct buf *reply)
{
    keep_head(c->exchange, at, head_len);
    const struct http_request *r = &c->exchange->request;
    if (wants_continue(r, body_here))
        buf_puts(reply, "HTTP/1.1 100 Continue\r\n\r\n");
    c->phase = r->is_chunked ? HTTP_CHUNK_LINE : HTTP_BODY;
    c->body_left = r->content_length;
}

/* What a well-formed head may still ask in vain. */
static ssize_t judge_request(struct http_conn *c, const struct codec_conf *conf,
                             const struct http_request *r, struct buf *reply)
{
    if (r->has_stray_lines)
        return fail(c, reply, GW_EPROTO, 400, "A header line has no colon.");
    if (http_header(r, "expect").at && !http_header_has(r, "expect", "100-continue"))
        return fail(c, reply, GW_EPROTO, 417, "Only 100-continue can be expected here.");
    if (conf->message_max_bytes > 0 && r->content_length > conf->message_max_bytes)
        return fail(c, reply, GW_ETOOBIG, 413, "The body is too large.");
    return 0;
}

static ssize_t take_head(struct http_conn *c, const struct codec_conf *conf, const uint8_t *at,
                         size_t len, struct codec_event *ev, struct buf *reply)
{
    struct http_request r;
    ssize_t n = http_resume_request(span_of(at, len), conf->head_max_bytes, &c->searched, &r);
    if (n == 0)
        return 0;
    if (n < 0)
        return fail(c, reply, n, r.error_status, r.error_text);
    ssize_t rc = judge_request(c, conf, &r, reply);
    if (rc < 0)
        return rc;
    c->exchange = mem_zalloc(sizeof(*c->exchange));
    c->exchange->request = r;
    size_t body_here = len - (size_t)n;
    if (r.is_chunked || r.content_length > body_here) {
        begin_body(c, at, (size_t)n, body_here, reply);
        return n;
    }
    deliver(c, span_of(at + n, (size_t)r.content_length), ev);
    return n + (ssize_t)r.content_length;
}

/* Takes what is there of a body or a chunk. Returns the bytes used or < 0. */
static ssize_t collect(struct http_conn *c, const uint8_t *at, size_t len, struct buf *reply)
{
    size_t n = len < c->body_left ? len : (size_t)c->body_left;
    uint8_t *to = buf_try_reserve(&c->exchange->body, n);
    if (!to)
        return fail(c, reply, -ENOMEM, 503, "The server is out of memory.");
    memcpy(to, at, n);
    buf_commit(&c->exchange->body, n);
    c->body_left -= n;
    return (ssize_t)n;
}

static ssize_t take_body(struct http_conn *c, const uint8_t *at, size_t len, struct codec_event *ev,
                         struct buf *reply)
{
    ssize_t n = collect(c, at, len, reply);
    if (n > 0 && c->body_left == 0)
        deliver_collected(c, ev);
    return n;
}

static ssize_t take_chunk(struct http_conn *c, const uint8_t *at, size_t len, struct buf *reply)
{
    ssize_t n = collect(c, at, len, reply);
    if (n > 0 && c->body_left == 0)
        c->phase = HTTP_CHUNK_END;
    return n;
}

/* Finds the line at the front. Inside a chunked body only CRLF ends a line: a reader that took a
 * bare LF for an end would see other chunks than one that does not. Returns the length with its
 * end, 0 need more, GW_EPROTO, or GW_ETOOBIG when it does not end within max. */
static ssize_t find_line(const uint8_t *at, size_t len, size_t max, struct span *line)
{
    size_t seen = len < max ? len : max;
    const uint8_t *end = memchr(at, '\n', seen);
    size_t line_len = end ? (size_t)(end - at) : seen;
    const uint8_t *cr = memchr(at, '\r', line_len);
    if (cr && cr + 1 != at + line_len)
        return GW_EPROTO;
    if (!end)
        return len < max ? 0 : GW_ETOOBIG;
    if (!cr)
        return GW_EPROTO;
    *line = span_of(at, line_len - 1);
    return (ssize_t)(line_len + 1);
}

/* RFC 9112 §7.1, §7.1.1: a hex size, then perhaps an extension, which is ignored. */
static bool parse_chunk_size(struct span line, uint64_t *size)
{
    size_t digits_n = 0;
    uint64_t n = 0;
    while (digits_n < line.len && hex_digit(line.at[digits_n]) >= 0) {
        if (n >> 60)
            return false;
        n = n << 4 | (uint64_t)hex_digit(line.at[digits_n++]);
    }
    *size = n;
    size_t at = digits_n;
    while (at < line.len && (line.at[at] == ' ' || line.at[at] == '\t'))
        at++;
    if (digits_n == 0 || (digits_n < line.len && (at == line.len || line.at[at] != ';')))
        return false;
    for (; at < line.len; at++)
        if ((line.at[at] < ' ' && line.at[at] != '\t') || line.at[at] == 0x7f)
            return false;
    return true;
}

static ssize_t take_chunk_line(struct http_conn *c, const struct codec_conf *conf,
                               const uint8_t *at, size_t len, struct buf *reply)
{
    struct span line;
    uint64_t size;
    ssize_t n = find_line(at, len, CHUNK_LINE_MAX, &line);
    if (n == 0)
        return 0;
    if (n < 0 || !parse_chunk_size(line, &size))
        return fail_chunk(c, reply);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): behind the head there is an exchange. */
    size_t have = c->exchange->body.len;
    size_t max = conf->message_max_bytes > 0 ? conf->message_max_bytes : SIZE_MAX / 2;
    if (size > max || have > max - size)
        return fail(c, reply, GW_ETOOBIG, 413, "The body is too large.");
    c->phase = size > 0 ? HTTP_CHUNK : HTTP_TRAILER;
    if (size > 0)
        c->body_left = size;
    else
        c->trailer_bytes = 0;
    return n;
}

static ssize_t take_chunk_end(struct http_conn *c, const uint8_t *at, size_t len, struct buf *reply)
{
    if (at[0] != '\r' || (len > 1 && at[1] != '\n'))
        return fail_chunk(c, reply);
    if (len < 2)
        return 0;
    c->phase = HTTP_CHUNK_LINE;
    return 2;
}

/* Trailers are read and forgotten (RFC 9112 §7.1.2), within the limit of a head. */
static ssize_t take_trailer(struct http_conn *c, const struct codec_conf *conf, const uint8_t *at,
                            size_t len, struct codec_event *ev, struct buf *reply)
{
    struct span line;
    struct http_header field;
    size_t max = conf->head_max_bytes > 0 ? conf->head_max_bytes - c->trailer_bytes : SIZE_MAX;
    ssize_t n = find_line(at, len, max, &line);
    if (n == 0)
        return 0;
    if (n == GW_ETOOBIG)
        return fail(c, reply, GW_ETOOBIG, 431, "The trailers are too large.");
    if (n < 0 || (line.len > 0 && !http_parse_field(line, &field)))
        return fail_chunk(c, reply);
    c->trailer_bytes += (size_t)n;
    if (line.len == 0)
        deliver_collected(c, ev);
    return n;
}

static ssize_t http_decode(void *state, const struct codec_conf *conf, uint8_t *at, size_t len,
                           struct codec_event *ev, struct buf *reply)
{
    struct http_conn *c = state;
    *ev = (struct codec_event){.kind = CODEC_NOTHING};
    if (c->is_lent)
        give_back(c);
    if (len == 0)
        return 0;
    switch ((enum http_phase)c->phase) {
    case HTTP_HEAD:
        return take_head(c, conf, at, len, ev, reply);
    case HTTP_BODY:
        return take_body(c, at, len, ev, reply);
    case HTTP_CHUNK_LINE:
        return take_chunk_line(c, conf, at, len, reply);
    case HTTP_CHUNK:
        return take_chunk(c, at, len, reply);
    case HTTP_CHUNK_END:
        return take_chunk_end(c, at, len, reply);
    case HTTP_TRAILER:
        return take_trailer(c, conf, at, len, ev, reply);
    case HTTP_GONE:
        break;
    }
    return (ssize_t)len;
}

/* Answers are written whole by whoever answers. */
static size_t http_encode(uint8_t *to, struct span payload, bool is_binary)
{
    if (payload.len > 0)
        memcpy(to, payload.at, payload.len);
    return payload.len;
}

static void http_fini(void *state)
{
    give_back(state);
}

const struct codec http_codec = {
    .name = "http",
    .state_bytes = sizeof(struct http_conn),
    .fini = http_fini,
    .decode = http_decode,
    .encode = http_encode,
};
