/* What a module answers to a handshake. */
#include "worker/verdict.h"

#include <errno.h>
#include <string.h>

#include "proto/http.h"
#include "worker/request.h"

enum { LINES_MAX_BYTES = 16 * 1024, STATUS_FORBIDDEN = 403 };

void verdict_put(const struct gw_answer *a, struct buf *out)
{
    buf_put_u16be(out, (uint16_t)a->status);
    if (a->status != 0) {
        buf_put_span(out, buf_span(&a->text));
        return;
    }
    buf_put_span(out, buf_span(&a->lines));
    if (a->subprotocol.len > 0)
        http_put_header(out, "Sec-WebSocket-Protocol", buf_span(&a->subprotocol));
}

void verdict_fini(struct gw_answer *a)
{
    buf_fini(&a->text);
    buf_fini(&a->lines);
    buf_fini(&a->subprotocol);
}

void gw_answer_refuse(struct gw_answer *a, int status, const char *text)
{
    a->status = status >= 400 && status <= 599 ? status : STATUS_FORBIDDEN;
    buf_clear(&a->text);
    buf_puts(&a->text, text ? text : http_reason(a->status));
}

int gw_answer_header(struct gw_answer *a, const char *name, const char *value)
{
    struct http_header h;
    struct buf line = {0};
    int rc = -EINVAL;
    if (!name || !value || strpbrk(value, "\r\n"))
        return rc;
    buf_printf(&line, "%s: %s", name, value);
    if (http_parse_field(buf_span(&line), &h) && span_is(h.name, name) &&
        a->lines.len + line.len < LINES_MAX_BYTES) {
        buf_put_span(&a->lines, buf_span(&line));
        buf_puts(&a->lines, "\r\n");
        rc = 0;
    }
    buf_fini(&line);
    return rc;
}

/* RFC 6455 §4.2.2: nothing that the client did not ask for. */
int gw_answer_subprotocol(struct gw_answer *a, const char *name)
{
    const char *asked = request_subprotocols(a->request);
    struct span rest = asked ? span_str(asked) : span_of(NULL, 0);
    while (name && name[0] != '\0' && rest.len > 0) {
        if (!span_is(span_trim(span_cut(&rest, ',')), name))
            continue;
        buf_clear(&a->subprotocol);
        buf_puts(&a->subprotocol, name);
        return 0;
    }
    return -EINVAL;
}
