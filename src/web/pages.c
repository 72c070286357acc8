/* Pages: which answer a request gets. GET and HEAD only (RFC 9110 §9.3.1, §9.3.2). */
#include "web/pages.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <gw/err.h>

#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "web/gatehouse_js.h"
#include "web/range.h"
#include "web/site.h"
#include "web/validator.h"

/* Files up to this size are copied behind the head, so that both leave in one send; larger ones go
 * from the page cache to the socket without being copied (sendfile). */
enum { PAGES_COPY_MAX = 64 * 1024 };
/* A body that came with a request is skipped up to here; past that the connection is closed. */
enum { PAGES_SKIP_MAX = 1024 * 1024 };

struct pages {
    struct site *site;
    struct buf common;  /* header lines of every answer */
    struct buf gateway; /* /gatehouse.json */
    int64_t cache_seconds;
};

/* Where the page finds the gateway; the page reads it before it connects. */
static void put_gateway(struct buf *out, const struct web_conf *conf)
{
    struct gw_json *json = gw_json_object();
    gw_json_set_int(json, "websocket_port", conf->websocket_port);
    if (conf->websocket_url)
        gw_json_set_str(json, "websocket_url", conf->websocket_url);
    if (json_write(out, json, GW_JSON_PLAIN) < 0)
        log_fatal("web: websocket_url cannot be written as JSON");
    gw_json_free(json);
}

static void put_common(struct buf *out, const struct web_conf *conf)
{
    if (conf->csp && conf->csp[0] != '\0')
        http_put_header(out, "Content-Security-Policy", span_str(conf->csp));
    http_put_header(out, "X-Content-Type-Options", span_str("nosniff"));
    http_put_header(out, "Referrer-Policy", span_str("same-origin"));
    for (size_t i = 0; i < conf->headers.len; i++) {
        buf_puts(out, conf->headers.at[i].text);
        buf_puts(out, "\r\n");
    }
}

struct pages *pages_open(const struct web_conf *conf, const char *root)
{
    struct site *site = site_open(root, conf->index);
    if (!site)
        return NULL;
    struct pages *p = mem_zalloc(sizeof *p);
    p->site = site;
    p->cache_seconds = conf->cache_seconds;
    put_common(&p->common, conf);
    put_gateway(&p->gateway, conf);
    return p;
}

void pages_close(struct pages *p)
{
    if (!p)
        return;
    site_close(p->site);
    buf_fini(&p->common);
    buf_fini(&p->gateway);
    mem_free(p);
}

void answer_fini(struct answer *a)
{
    if (a->fd >= 0)
        close(a->fd);
    a->fd = -1;
    buf_fini(&a->bytes);
}

static void begin(const struct pages *p, int status, int64_t now_s, struct answer *a)
{
    a->status = status;
    http_put_status(&a->bytes, status, now_s);
    buf_put_span(&a->bytes, buf_span(&p->common));
}

/* Ends the head. RFC 9112 §9.3: keeping open is the default of 1.1 and must be said in 1.0. */
static void end_head(struct answer *a, const struct http_request *r)
{
    if (a->is_last)
        buf_puts(&a->bytes, "Connection: close\r\n");
    else if (r->minor == 0)
        buf_puts(&a->bytes, "Connection: keep-alive\r\n");
    buf_puts(&a->bytes, "\r\n");
}

static bool is_head(const struct http_request *r)
{
    return span_is(r->method, "HEAD");
}

/* A whole small answer; `lines` are further header lines. */
static void put_answer(const struct pages *p, const struct http_request *r, int status,
                       const char *lines, const char *type, struct span body, int64_t now_s,
                       struct answer *a)
{
    begin(p, status, now_s, a);
    buf_printf(&a->bytes, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, body.len);
    buf_puts(&a->bytes, lines);
    end_head(a, r);
    if (!is_head(r))
        buf_put_span(&a->bytes, body);
}

static void answer_error(const struct pages *p, const struct http_request *r, int status,
                         const char *lines, int64_t now_s, struct answer *a)
{
    char body[64];
    int len = snprintf(body, sizeof body, "%d %s\n", status, http_reason(status));
    put_answer(p, r, status, lines, "text/plain; charset=utf-8", span_of(body, (size_t)len), now_s,
               a);
}

void pages_refuse(const struct pages *p, int status, const char *text, int64_t now_s,
                  struct answer *a)
{
    static const struct http_request unknown = {.minor = 1};
    a->fd = -1;
    a->is_last = true;
    struct buf body = {0};
    buf_printf(&body, "%s\n", text);
    put_answer(p, &unknown, status, "", "text/plain; charset=utf-8", buf_span(&body), now_s, a);
    buf_fini(&body);
}

/* RFC 9110 §8.6: no length with a 204. */
void pages_answer_json(const struct pages *p, const struct http_request *r, int status,
                       struct span lines, struct span json, bool is_last, int64_t now_s,
                       struct answer *a)
{
    a->fd = -1;
    a->is_last = is_last || !r->is_keep_alive;
    begin(p, status, now_s, a);
    buf_puts(&a->bytes, "Cache-Control: no-store\r\n");
    if (status != 204)
        buf_printf(&a->bytes, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                   json.len);
    buf_put_span(&a->bytes, lines);
    end_head(a, r);
    if (!is_head(r))
        buf_put_span(&a->bytes, json);
}

/* The client wants it so, or a body comes that is too much to be skipped. */
static bool is_last_answer(const struct http_request *r)
{
    return !r->is_keep_alive || r->is_chunked || r->content_length > PAGES_SKIP_MAX;
}

void pages_answer_text(const struct pages *p, const struct http_request *r, int status,
                       const char *lines, const char *type, struct span text, bool is_last,
                       int64_t now_s, struct answer *a)
{
    struct buf all_lines = {0};
    a->fd = -1;
    a->is_last = is_last || is_last_answer(r);
    buf_printf(&all_lines, "Cache-Control: no-store\r\n%s", lines);
    put_answer(p, r, status, buf_cstr(&all_lines), type, text, now_s, a);
    buf_fini(&all_lines);
}

static void put_cache_control(const struct pages *p, struct buf *out)
{
    if (p->cache_seconds > 0)
        buf_printf(out, "Cache-Control: max-age=%lld\r\n", (long long)p->cache_seconds);
    else
        buf_puts(out, "Cache-Control: no-cache\r\n");
}

static void put_validators(struct buf *out, const struct validator *v)
{
    http_put_header(out, "ETag", span_str(v->etag));
    buf_puts(out, "Last-Modified: ");
    http_put_date(out, v->modified_s);
    buf_puts(out, "\r\n");
}

/* Behind the head: the bytes themselves when they are few. false: the file got shorter meanwhile.
 */
static bool put_body(struct answer *a, const struct site_file *file, const struct range *part)
{
    if (part->len > PAGES_COPY_MAX) {
        a->fd = file->fd;
        a->file_at = part->first;
        a->file_len = part->len;
        return true;
    }
    uint8_t *to = buf_reserve(&a->bytes, part->len);
    uint64_t got = 0;
    while (got < part->len) {
        ssize_t n = pread(file->fd, to + got, part->len - got, (off_t)(part->first + got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (uint64_t)n;
    }
    buf_commit(&a->bytes, part->len);
    return true;
}

/* 200 or 206, with the file. */
static void answer_file(const struct pages *p, const struct http_request *r,
                        const struct site_file *file, const struct validator *v,
                        const struct range *part, int64_t now_s, struct answer *a)
{
    uint64_t size = (uint64_t)file->stat.st_size;
    bool is_part = part->len < size;
    begin(p, is_part ? 206 : 200, now_s, a);
    buf_printf(&a->bytes, "Content-Type: %s\r\nContent-Length: %llu\r\nAccept-Ranges: bytes\r\n",
               file->type, (unsigned long long)part->len);
    if (is_part)
        buf_printf(&a->bytes, "Content-Range: bytes %llu-%llu/%llu\r\n",
                   (unsigned long long)part->first,
                   (unsigned long long)(part->first + part->len - 1), (unsigned long long)size);
    put_validators(&a->bytes, v);
    put_cache_control(p, &a->bytes);
    end_head(a, r);
    if (is_head(r) || put_body(a, file, part))
        return;
    buf_clear(&a->bytes);
    a->is_last = true;
    answer_error(p, r, 500, "", now_s, a);
}

static void answer_found(const struct pages *p, const struct http_request *r,
                         const struct site_file *file, int64_t now_s, struct answer *a)
{
    struct validator v;
    validator_init(&v, &file->stat);
    enum validator_verdict verdict = validator_judge(&v, r);
    if (verdict == VALIDATOR_FAILED) {
        answer_error(p, r, 412, "", now_s, a);
        return;
    }
    if (verdict == VALIDATOR_NOT_MODIFIED) { /* RFC 9110 §15.4.5: no body, no length */
        begin(p, 304, now_s, a);
        put_validators(&a->bytes, &v);
        put_cache_control(p, &a->bytes);
        end_head(a, r);
        return;
    }
    uint64_t size = (uint64_t)file->stat.st_size;
    struct range part = {.first = 0, .len = size};
    struct span wanted = http_header(r, "range");
    enum range_verdict range = RANGE_WHOLE;
    if (wanted.at && !is_head(r) && validator_allows_range(&v, r)) /* §14.2: GET only */
        range = range_judge(wanted, size, &part);
    if (range == RANGE_UNSATISFIABLE) {
        char line[64];
        snprintf(line, sizeof line, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
        answer_error(p, r, 416, line, now_s, a);
        return;
    }
    answer_file(p, r, file, &v, &part, now_s, a);
}

static void answer_redirect(const struct pages *p, const struct http_request *r, int64_t now_s,
                            struct answer *a)
{
    struct buf lines = {0};
    buf_puts(&lines, "Location: ");
    buf_put_span(&lines, r->path);
    buf_putc(&lines, '/');
    if (r->query.len > 0) {
        buf_putc(&lines, '?');
        buf_put_span(&lines, r->query);
    }
    buf_puts(&lines, "\r\n");
    answer_error(p, r, 301, buf_cstr(&lines), now_s, a);
    buf_fini(&lines);
}

static void answer_path(struct pages *p, const struct http_request *r, int64_t now_s,
                        struct answer *a)
{
    static struct log_rate shortage;
    struct site_file file;
    int rc = site_find(p->site, r->path, &file);
    switch (rc) {
    case 0:
        answer_found(p, r, &file, now_s, a);
        if (a->fd != file.fd)
            close(file.fd);
        return;
    case SITE_NEEDS_SLASH:
        answer_redirect(p, r, now_s, a);
        return;
    case -EINVAL:
        answer_error(p, r, 400, "", now_s, a);
        return;
    case -ENOENT:
        answer_error(p, r, 404, "", now_s, a);
        return;
    default:
        log_limited(&shortage, LOG_ERROR, "web: cannot open %.*s: %s", (int)r->path.len,
                    (const char *)r->path.at, gw_strerror(rc));
        answer_error(p, r, 503, "Retry-After: 1\r\n", now_s, a);
        return;
    }
}

void pages_answer(struct pages *p, const struct http_request *r, int64_t now_s, struct answer *a)
{
    a->fd = -1;
    a->is_last = is_last_answer(r);
    if (r->has_stray_lines)
        pages_refuse(p, 400, "A header line has no colon.", now_s, a);
    else if (!span_is(r->method, "GET") && !is_head(r))
        answer_error(p, r, 405, "Allow: GET, HEAD\r\n", now_s, a);
    else if (span_is(r->path, "/health"))
        put_answer(p, r, 200, "Cache-Control: no-store\r\n", "text/plain; charset=utf-8",
                   span_str("ok"), now_s, a);
    else if (span_is(r->path, "/gatehouse.json"))
        put_answer(p, r, 200, "Cache-Control: no-cache\r\n", "application/json",
                   buf_span(&p->gateway), now_s, a);
    else if (span_is(r->path, "/gatehouse.js"))
        put_answer(p, r, 200, "Cache-Control: no-cache\r\n", "text/javascript; charset=utf-8",
                   span_of(gatehouse_js, (size_t)(gatehouse_js_end - gatehouse_js)), now_s, a);
    else
        answer_path(p, r, now_s, a);
}
