/* Texts keep their lines: CR, LF and CRLF all end one, and come out as LF on the other side. */
#include "proto/sse.h"

#include <gw/err.h>

#include "base/crypto.h"

enum { DIGITS_MAX = 10 };

void sse_put_data(struct buf *out, struct span text)
{
    size_t begin = 0;

    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.at[i] != '\n' && text.at[i] != '\r')
            continue;
        buf_puts(out, "data: ");
        buf_put_span(out, span_of(text.at ? text.at + begin : NULL, i - begin));
        buf_putc(out, '\n');
        if (i + 1 < text.len && text.at[i] == '\r' && text.at[i + 1] == '\n')
            i++;
        begin = i + 1;
    }
}

void sse_put_message(struct buf *out, uint64_t number, struct span payload, bool is_binary)
{
    buf_printf(out, "id: %llu\n", (unsigned long long)number);
    if (is_binary) {
        size_t room = 4 * ((payload.len + 2) / 3) + 1;
        buf_puts(out, "event: binary\ndata: ");
        crypto_base64(payload, (char *)buf_reserve(out, room), room);
        buf_commit(out, room - 1);
        buf_putc(out, '\n');
    } else {
        sse_put_data(out, payload);
    }
    buf_putc(out, '\n');
}

void sse_put_event(struct buf *out, const char *type, struct span data)
{
    buf_printf(out, "event: %s\ndata: ", type);
    buf_put_span(out, data);
    buf_puts(out, "\n\n");
}

int sse_next_message(struct span *body, struct sse_message *out)
{
    size_t digits_n = 0;
    uint64_t len;

    if (body->len == 0)
        return 0;
    while (digits_n < body->len && digits_n <= DIGITS_MAX && body->at[digits_n] >= '0' &&
           body->at[digits_n] <= '9')
        digits_n++;
    if (digits_n == 0 || digits_n > DIGITS_MAX || body->len < digits_n + 2 ||
        !span_to_u64(span_of(body->at, digits_n), &len))
        return GW_EPROTO;
    uint8_t kind = body->at[digits_n];
    if ((kind != 't' && kind != 'b') || body->at[digits_n + 1] != ':')
        return GW_EPROTO;
    struct span rest = span_skip(*body, digits_n + 2);
    if (rest.len < len)
        return GW_EPROTO;
    *out = (struct sse_message){.is_binary = kind == 'b', .payload = span_of(rest.at, (size_t)len)};
    *body = span_skip(rest, (size_t)len);
    return 1;
}
