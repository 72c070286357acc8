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

static const char PLAIN_TYPE[] = "text/plain; charset=utf-8";

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

/* One request and its answer in the making. */
struct asked {
    const struct pages *pages;
    const struct http_request *request;
    int64_t now_s;
    struct answer *answer;
};

static struct asked asked_of(const struct pages *p, const struct http_request *r, int64_t now_s,
                             struct answer *out)
{
    out->fd = -1;
    return (struct asked){.pages = p, .request = r, .now_s = now_s, .answer = out};
}

static void begin(const struct asked *q, int status)
{
    struct buf *out = &q->answer->bytes;
    q->answer->status = status;
    http_put_status(out, status, q->now_s);
    buf_put_span(out, buf_span(&q->pages->common));
}

/* Ends the head. RFC 9112 §9.3: keeping open is the default of 1.1 and must be said in 1.0. */
static void end_head(const struct asked *q)
{
    struct buf *out = &q->answer->bytes;
    if (q->answer->is_last)
        buf_puts(out, "Connection: close\r\n");
    else if (q->request->minor == 0)
        buf_puts(out, "Connection: keep-alive\r\n");
    buf_puts(out, "\r\n");
}

static bool is_head(const struct asked *q)
{
    return span_is(q->request->method, "HEAD");
}

/* A whole small answer. RFC 9110 §8.6: no length with a 204. */
static void put_text(const struct asked *q, const struct page_text *text)
{
    struct buf *out = &q->answer->bytes;
    begin(q, text->status);
    if (text->status != 204)
        buf_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", text->type, text->body.len);
    buf_put_span(out, text->lines);
    end_head(q);
    if (!is_head(q))
        buf_put_span(out, text->body);
}

static void answer_error(const struct asked *q, int status, const char *lines)
{
    char body[64];
    int len = snprintf(body, sizeof body, "%d %s\n", status, http_reason(status));
    put_text(q, &(struct page_text){.status = status,
                                    .lines = span_str(lines),
                                    .type = PLAIN_TYPE,
                                    .body = span_of(body, (size_t)len)});
}

void pages_refuse(const struct pages *p, int status, const char *text, int64_t now_s,
                  struct answer *out)
{
    static const struct http_request unknown = {.minor = 1};
    struct asked q = asked_of(p, &unknown, now_s, out);
    struct buf body = {0};
    out->is_last = true;
    buf_printf(&body, "%s\n", text);
    put_text(&q,
             &(struct page_text){.status = status, .type = PLAIN_TYPE, .body = buf_span(&body)});
    buf_fini(&body);
}

/* The client wants it so, or a body comes that is too much to be skipped. */
static bool is_last_answer(const struct http_request *r)
{
    return !r->is_keep_alive || r->is_chunked || r->content_length > PAGES_SKIP_MAX;
}

void pages_answer_as(const struct pages *p, const struct http_request *r,
                     const struct page_text *text, int64_t now_s, struct answer *out)
{
    struct asked q = asked_of(p, r, now_s, out);
    struct page_text fresh = *text;
    struct buf lines = {0};
    out->is_last = text->is_last || is_last_answer(r);
    buf_puts(&lines, "Cache-Control: no-store\r\n");
    buf_put_span(&lines, text->lines);
    fresh.lines = buf_span(&lines);
    put_text(&q, &fresh);
    buf_fini(&lines);
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
static void answer_file(const struct asked *q, const struct site_file *file,
                        const struct validator *v, const struct range *part)
{
    struct answer *a = q->answer;
    uint64_t size = (uint64_t)file->stat.st_size;
    bool is_part = part->len < size;
    begin(q, is_part ? 206 : 200);
    buf_printf(&a->bytes, "Content-Type: %s\r\nContent-Length: %llu\r\nAccept-Ranges: bytes\r\n",
               file->type, (unsigned long long)part->len);
    if (is_part)
        buf_printf(&a->bytes, "Content-Range: bytes %llu-%llu/%llu\r\n",
                   (unsigned long long)part->first,
                   (unsigned long long)(part->first + part->len - 1), (unsigned long long)size);
    put_validators(&a->bytes, v);
    put_cache_control(q->pages, &a->bytes);
    end_head(q);
    if (is_head(q) || put_body(a, file, part))
        return;
    buf_clear(&a->bytes);
    a->is_last = true;
    answer_error(q, 500, "");
}

/* RFC 9110 §15.4.5: no body, no length. */
static void answer_not_modified(const struct asked *q, const struct validator *v)
{
    begin(q, 304);
    put_validators(&q->answer->bytes, v);
    put_cache_control(q->pages, &q->answer->bytes);
    end_head(q);
}

/* §14.2: ranges are for GET only. */
static enum range_verdict read_range(const struct asked *q, const struct validator *v,
                                     uint64_t size, struct range *part)
{
    struct span wanted = http_header(q->request, "range");
    *part = (struct range){.first = 0, .len = size};
    if (!wanted.at || is_head(q) || !validator_allows_range(v, q->request))
        return RANGE_WHOLE;
    return range_judge(wanted, size, part);
}

static void answer_found(const struct asked *q, const struct site_file *file)
{
    struct validator v;
    struct range part;
    uint64_t size = (uint64_t)file->stat.st_size;
    validator_init(&v, &file->stat);
    enum validator_verdict verdict = validator_judge(&v, q->request);
    if (verdict == VALIDATOR_FAILED) {
        answer_error(q, 412, "");
    } else if (verdict == VALIDATOR_NOT_MODIFIED) {
        answer_not_modified(q, &v);
    } else if (read_range(q, &v, size, &part) == RANGE_UNSATISFIABLE) {
        char line[64];
        snprintf(line, sizeof line, "Content-Range: bytes */%llu\r\n", (unsigned long long)size);
        answer_error(q, 416, line);
    } else {
        answer_file(q, file, &v, &part);
    }
}

static void answer_redirect(const struct asked *q)
{
    const struct http_request *r = q->request;
    struct buf lines = {0};
    buf_puts(&lines, "Location: ");
    buf_put_span(&lines, r->path);
    buf_putc(&lines, '/');
    if (r->query.len > 0) {
        buf_putc(&lines, '?');
        buf_put_span(&lines, r->query);
    }
    buf_puts(&lines, "\r\n");
    answer_error(q, 301, buf_cstr(&lines));
    buf_fini(&lines);
}

static void answer_path(const struct asked *q)
{
    static struct log_rate shortage;
    struct site_file file;
    struct span path = q->request->path;
    int rc = site_find(q->pages->site, path, &file);
    switch (rc) {
    case 0:
        answer_found(q, &file);
        if (q->answer->fd != file.fd)
            close(file.fd);
        return;
    case SITE_NEEDS_SLASH:
        answer_redirect(q);
        return;
    case -EINVAL:
        answer_error(q, 400, "");
        return;
    case -ENOENT:
        answer_error(q, 404, "");
        return;
    default:
        log_limited(&shortage, LOG_ERROR, "web: cannot open %.*s: %s", (int)path.len,
                    (const char *)path.at, gw_strerror(rc));
        answer_error(q, 503, "Retry-After: 1\r\n");
        return;
    }
}

/* What is served beside the files of the folder; false: it is none of that. */
static bool answer_own(const struct asked *q)
{
    struct span path = q->request->path;
    struct page_text text = {.status = 200, .lines = span_str("Cache-Control: no-cache\r\n")};
    if (span_is(path, "/health")) {
        text.lines = span_str("Cache-Control: no-store\r\n");
        text.type = PLAIN_TYPE;
        text.body = span_str("ok");
    } else if (span_is(path, "/gatehouse.json")) {
        text.type = "application/json";
        text.body = buf_span(&q->pages->gateway);
    } else if (span_is(path, "/gatehouse.js")) {
        text.type = "text/javascript; charset=utf-8";
        text.body = span_of(gatehouse_js, (size_t)(gatehouse_js_end - gatehouse_js));
    } else {
        return false;
    }
    put_text(q, &text);
    return true;
}

void pages_answer(struct pages *p, const struct http_request *r, int64_t now_s, struct answer *out)
{
    struct asked q = asked_of(p, r, now_s, out);
    out->is_last = is_last_answer(r);
    if (r->has_stray_lines)
        pages_refuse(p, 400, "A header line has no colon.", now_s, out);
    else if (!span_is(r->method, "GET") && !is_head(&q))
        answer_error(&q, 405, "Allow: GET, HEAD\r\n");
    else if (!answer_own(&q))
        answer_path(&q);
}
