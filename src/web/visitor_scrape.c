/* A visitor who asks for metrics: refused, or answered when the master has told them. */
#include "web/visitor_internal.h"

#include "base/clock.h"
#include "base/mem.h"

/* The media type of the format's version 0.0.4, which every Prometheus reads. */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define PLAIN_TYPE "text/plain; charset=utf-8"

static void send_text(struct visitor *v, const struct http_request *r, struct page_text text)
{
    struct answer a = {0};
    text.is_last = v->all->is_draining;
    pages_answer_as(v->all->pages, r, &text, clock_wall_s(), &a);
    v->skip_bytes = a.is_last ? 0 : r->content_length;
    visitor_send(v, &a);
    answer_fini(&a);
}

static void refuse(struct visitor *v, const struct http_request *r, int status, const char *lines,
                   const char *text)
{
    send_text(v, r,
              (struct page_text){.status = status,
                                 .lines = span_str(lines),
                                 .type = PLAIN_TYPE,
                                 .body = span_str(text)});
}

static void send_told(struct visitor *v, const struct http_request *r, struct span text)
{
    if (text.len > 0)
        send_text(v, r, (struct page_text){.status = 200, .type = METRICS_TYPE, .body = text});
    else
        refuse(v, r, 503, "Retry-After: 1\r\n", "No answer; see the log.\n");
}

static void on_told(void *owner, struct span text)
{
    struct visitor *v = owner;
    struct http_request *asked = v->asked;
    v->asked = NULL;
    if (!conn_is_closing(v->conn))
        send_told(v, asked, text);
    mem_free(asked);
}

/* A proxy that is not trusted tells whom it asks for, so whom the connection comes from says
 * nothing: without this, a proxy on this host would make everybody local. */
static bool is_from_stranger(const struct visitor *v, const struct http_request *r)
{
    return !v->is_proxied &&
           (http_header(r, "x-forwarded-for").at || http_header(r, "forwarded").at);
}

void visitor_take_scrape(struct visitor *v, const struct http_request *r)
{
    if (is_from_stranger(v, r) || !scrapes_allows(v->all->scrapes, conn_peer(v->conn))) {
        refuse(v, r, 403, "", "Not for this address.\n");
        return;
    }
    if (!span_is(r->method, "GET") && !span_is(r->method, "HEAD")) {
        refuse(v, r, 405, "Allow: GET, HEAD\r\n", "GET or HEAD only.\n");
        return;
    }
    visitor_keep_request(v, r);
    v->asked->content_length = r->content_length; /* still to come, and to be skipped */
    v->asked->is_chunked = r->is_chunked;
    visitor_enter(v, VISITOR_ASKING, 0);
    scrape_start(v->all->scrapes, &v->scrape, on_told, v);
}
