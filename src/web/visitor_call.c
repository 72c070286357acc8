/* A visitor's calls of the HTTP API: the body comes, the call runs, its answer goes out in turn. */
#include "web/visitor_internal.h"

#include <errno.h>

#include <gw/err.h>

#include "base/clock.h"
#include "base/mem.h"
#include "proto/codec.h"

enum { SKIP_MAX_BYTES = 1024 * 1024 }; /* of the body of a call that was refused */

static void send_json(struct visitor *v, const struct http_request *r,
                      const struct api_answer *from)
{
    struct answer a = {0};
    struct page_text text = {.status = from->status,
                             .lines = buf_span(&from->lines),
                             .type = "application/json",
                             .body = buf_span(&from->body),
                             .is_last = from->is_last || v->all->is_draining};
    pages_answer_as(v->all->pages, r, &text, clock_wall_s(), &a);
    visitor_send(v, &a);
    answer_fini(&a);
}

static void drop_codec(struct visitor *v)
{
    if (v->codec)
        http_codec.fini(v->codec);
    mem_free(v->codec);
    v->codec = NULL;
}

/* What is left of a request when its bytes are gone: enough to end the head of the answer. */
void visitor_keep_request(struct visitor *v, const struct http_request *r)
{
    v->asked = mem_zalloc(sizeof *v->asked);
    v->asked->minor = r->minor;
    v->asked->is_keep_alive = r->is_keep_alive;
    v->asked->method = span_str(span_is(r->method, "HEAD") ? "HEAD" : "GET");
}

static void on_answer(void *owner, const struct api_answer *answer)
{
    struct visitor *v = owner;
    struct http_request *asked = v->asked;
    v->call = NULL;
    v->asked = NULL;
    if (!conn_is_closing(v->conn))
        send_json(v, asked, answer);
    mem_free(asked);
}

static void start_call(struct visitor *v, const struct http_request *r, struct span body)
{
    visitor_keep_request(v, r);
    v->call = api_start(v->all->api, r, body, on_answer, v);
    if (v->call)
        visitor_enter(v, VISITOR_ASKING, 0);
}

static const struct http_request unknown_request = {.minor = 1, .is_keep_alive = true};

void visitor_refuse_body(struct visitor *v, int rc)
{
    struct api_answer a = {0};
    if (rc == GW_ETIMEOUT)
        api_refuse(408, "too_slow", "the body did not come in time", &a);
    else if (rc == GW_ETOOBIG)
        api_refuse(413, "too_large", "the body is too large", &a);
    else if (rc == -ENOMEM)
        api_refuse(503, "busy", "no memory for the body", &a);
    else
        api_refuse(400, "bad_request", "the request or its body is malformed", &a);
    drop_codec(v);
    send_json(v, &unknown_request, &a);
    api_answer_fini(&a);
}

/* 100 Continue (RFC 9110 §10.1.1). */
static void send_interim(struct visitor *v, const struct buf *bytes)
{
    if (bytes->len > 0 && conn_send(v->conn, buf_span(bytes)) < 0)
        conn_destroy(v->conn, GW_EFULL);
}

size_t visitor_use_body(struct visitor *v, uint8_t *at, size_t len)
{
    const struct codec_conf conf = {.message_max_bytes = v->all->conf->api_max_body_bytes,
                                    .head_max_bytes = v->all->conf->head_max_bytes};
    size_t used = 0;
    while (v->codec && !conn_is_closing(v->conn)) {
        struct codec_event ev = {0};
        struct buf reply = {0};
        ssize_t n = http_codec.decode(v->codec, &conf, at + used, len - used, &ev, &reply);
        if (n >= 0)
            send_interim(v, &reply);
        buf_fini(&reply); /* after an error: a farewell as text, which is told as JSON here */
        if (n < 0) {
            visitor_refuse_body(v, (int)n);
            break;
        }
        used += (size_t)n;
        if (ev.kind == CODEC_MESSAGE) {
            start_call(v, ev.request, ev.payload);
            drop_codec(v);
        } else if (n == 0) {
            break;
        }
    }
    return used;
}

/* From the head on the codec reads the request, whose end is told by its framing. */
static void begin_body(struct visitor *v)
{
    v->codec = mem_zalloc(http_codec.state_bytes);
    visitor_enter(v, VISITOR_BODY, v->all->conf->body_timeout_ms);
}

/* A caller who waits for a word before it sends the body does not send it after a refusal, and one
 * with a large body had better not: then the connection ends. */
static bool ends_here(const struct http_request *r)
{
    return r->is_chunked || r->content_length > SKIP_MAX_BYTES || http_header(r, "expect").at;
}

size_t visitor_take_call(struct visitor *v, const struct http_request *r, size_t head_len,
                         uint8_t *at, size_t len)
{
    struct api_answer a = {0};
    if (api_admit(v->all->api, r, &a)) {
        api_answer_fini(&a);
        begin_body(v);
        return visitor_use_body(v, at, len);
    }
    a.is_last = ends_here(r);
    v->skip_bytes = a.is_last ? 0 : r->content_length;
    send_json(v, r, &a);
    api_answer_fini(&a);
    return head_len;
}

void visitor_drop_call(struct visitor *v)
{
    if (v->call)
        api_forget(v->call);
    v->call = NULL;
    drop_codec(v);
    mem_free(v->asked);
    v->asked = NULL;
}
