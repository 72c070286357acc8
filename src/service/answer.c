/* Heads are framed here and nowhere else: a module's headers are checked one by one, and cannot
 * touch lengths or the connection. */
#include "service/answer.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <gw/service.h>

#include "base/clock.h"
#include "base/log.h"
#include "proto/sse.h"
#include "service/exchange.h"
#include "service/handle.h"
#include "service/http_line.h"
#include "service/self.h"

/* A large answer does not keep its memory for ever. */
enum { MORE_HEADERS_MAX = 16 * 1024, SCRATCH_KEPT_MAX = 1024 * 1024 };

static struct buf *scratch(const struct gw_http *h)
{
    struct buf *b = &h->conn->service->scratch;

    if (b->cap > SCRATCH_KEPT_MAX)
        buf_fini(b);
    buf_clear(b);
    return b;
}

static bool is_ours(const char *name)
{
    static const char *const ours[] = {"connection", "content-length",    "date",
                                       "keep-alive", "transfer-encoding", "upgrade"};

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    return false;
}

int gw_http_set(struct gw_http *h, const char *name, const char *value)
{
    struct http_header field;
    struct buf *line = scratch(h);

    if (h->state != ANSWER_NONE)
        return GW_ECONTEXT;
    if (!name || !value || is_ours(name) || strpbrk(name, ": \t\r\n") || strpbrk(value, "\r\n"))
        return -EINVAL;
    buf_printf(line, "%s: %s", name, value);
    if (!http_parse_field(buf_span(line), &field))
        return -EINVAL;
    if (h->more_headers.len + line->len > MORE_HEADERS_MAX)
        return GW_ETOOBIG;
    buf_put_span(&h->more_headers, buf_span(line));
    buf_puts(&h->more_headers, "\r\n");
    return 0;
}

/* RFC 9110 §6.4.1 */
static bool may_have_body(const struct gw_http *h, int status)
{
    return !h->is_head && status >= 200 && status != 204 && status != 304;
}

static int put_head(struct gw_http *h, struct buf *out, int status, const char *type)
{
    if (!h->conn->conn)
        return GW_ECLOSED;
    if (h->state != ANSWER_NONE)
        return GW_ECONTEXT;
    if (status < 200 || status > 599 || (type && strpbrk(type, "\r\n")))
        return -EINVAL;
    if (http_line_is_leaving(h->conn))
        h->is_keep_alive = false;
    http_put_status(out, status, clock_wall_s());
    if (type)
        buf_printf(out, "Content-Type: %s\r\n", type);
    buf_put_span(out, buf_span(&h->more_headers));
    if (!h->is_keep_alive)
        buf_puts(out, "Connection: close\r\n");
    else if (h->is_http_1_0)
        buf_puts(out, "Connection: keep-alive\r\n");
    h->has_body = may_have_body(h, status);
    return 0;
}

static int send_bytes(struct gw_http *h, struct span bytes)
{
    return h->conn->conn ? conn_send(h->conn->conn, bytes) : GW_ECLOSED;
}

int gw_http_answer(struct gw_http *h, int status, const char *type, struct gw_bytes body)
{
    struct buf *out = scratch(h);
    int rc = put_head(h, out, status, type);

    if (rc < 0)
        return rc;
    if (status != 204 && status != 304) /* RFC 9110 §8.6 */
        buf_printf(out, "Content-Length: %zu\r\n", body.len);
    buf_puts(out, "\r\n");
    if (h->has_body)
        buf_put(out, body.data, body.len);
    h->state = ANSWER_DONE;
    return send_bytes(h, buf_span(out));
}

int gw_http_begin(struct gw_http *h, int status, const char *type)
{
    struct buf *out = scratch(h);

    if (h->is_http_1_0 && h->state == ANSWER_NONE)
        h->is_keep_alive = false; /* it knows no chunks: the end of the connection is the end */
    int rc = put_head(h, out, status, type);
    if (rc < 0)
        return rc;
    h->is_chunked = !h->is_http_1_0 && status != 204 && status != 304;
    if (h->is_chunked)
        buf_puts(out, "Transfer-Encoding: chunked\r\n");
    buf_puts(out, "\r\n");
    h->state = ANSWER_BEGUN;
    return send_bytes(h, buf_span(out));
}

int gw_http_write(struct gw_http *h, struct gw_bytes piece)
{
    struct buf *out = scratch(h);
    int rc = 0;

    if (h->state != ANSWER_BEGUN)
        return GW_ECONTEXT;
    if (!h->has_body || piece.len == 0)
        return h->conn->conn ? 0 : GW_ECLOSED; /* an empty chunk would be the last */
    if (h->is_chunked)
        buf_printf(out, "%zx\r\n", piece.len);
    buf_put(out, piece.data, piece.len);
    if (h->is_chunked)
        buf_puts(out, "\r\n");
    rc = send_bytes(h, buf_span(out));
    if (rc == 0 && conn_queued(h->conn->conn) >= h->conn->service->conf->send_buffer_size)
        rc = gw_conn_flush(h->conn);
    return rc;
}

int gw_http_end(struct gw_http *h)
{
    if (h->state != ANSWER_BEGUN)
        return GW_ECONTEXT;
    h->state = ANSWER_DONE;
    if (h->is_chunked && h->has_body)
        return send_bytes(h, span_str("0\r\n\r\n"));
    return h->conn->conn ? 0 : GW_ECLOSED;
}

void answer_complete(struct gw_http *h)
{
    if (h->state == ANSWER_BEGUN)
        (void)gw_http_end(h); /* the client may have left: nobody misses the end */
    if (h->state != ANSWER_NONE)
        return;
    log_error("on_request did not answer %s %.200s", h->method, h->path);
    (void)gw_http_answer(h, 500, "text/plain; charset=utf-8",
                         gw_str("The service gave no answer.\n"));
}

/* ---- events: the HTML standard, "Server-sent events" ---- */

int gw_http_begin_events(struct gw_http *h)
{
    struct buf *out = scratch(h);

    if (h->state == ANSWER_NONE)
        h->is_keep_alive = false;
    int rc = put_head(h, out, 200, "text/event-stream");
    if (rc < 0)
        return rc;
    buf_puts(out, "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n\r\n");
    if (!h->has_body) {
        h->state = ANSWER_DONE;
        return send_bytes(h, buf_span(out));
    }
    h->state = ANSWER_EVENTS;
    http_line_stream(h->conn);
    return send_bytes(h, buf_span(out));
}

int gw_conn_send_event(struct gw_conn *conn, const char *event, const char *id,
                       struct gw_bytes data)
{
    struct buf *out = &conn->service->scratch;

    if (!conn->conn || conn_is_closing(conn->conn))
        return GW_ECLOSED;
    if (!http_line_is_stream(conn))
        return GW_ECONTEXT;
    if ((event && strpbrk(event, "\r\n")) || (id && strpbrk(id, "\r\n")))
        return -EINVAL;
    if (conn_queued(conn->conn) >= conn->service->conf->send_buffer_size)
        return GW_EFULL;
    buf_clear(out);
    if (event)
        buf_printf(out, "event: %s\n", event);
    if (id)
        buf_printf(out, "id: %s\n", id);
    sse_put_data(out, span_of(data.data, data.len));
    buf_putc(out, '\n');
    int rc = conn_send(conn->conn, buf_span(out));
    handle_watch_queue(conn);
    return rc;
}
