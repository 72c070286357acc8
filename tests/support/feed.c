/* Feeds a codec as a connection would, in pieces of any size, and writes down what comes out. */
#include "support/feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "proto/http.h"

enum { PAYLOAD_SHOWN_MAX = 200 };

void feed_init(struct feed *f, const struct codec *codec, const struct codec_conf *conf)
{
    *f = (struct feed){.codec = codec, .conf = conf};
    f->state = calloc(1, codec->state_bytes + 1);
    f->rest = malloc(1);
    if (codec->init)
        codec->init(f->state);
}

void feed_fini(struct feed *f)
{
    if (f->codec->fini)
        f->codec->fini(f->state);
    free(f->state);
    free(f->rest);
    buf_fini(&f->events);
    buf_fini(&f->replies);
}

static void put_bytes(struct buf *out, struct span bytes)
{
    if (bytes.len > PAYLOAD_SHOWN_MAX) {
        buf_printf(out, "crc %08x", (unsigned)crypto_crc32(bytes));
        return;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.at[i];
        if (c < ' ' || c > '~' || c == '\\')
            buf_printf(out, "\\x%02x", c);
        else
            buf_putc(out, c);
    }
}

static void put_message(struct buf *out, const struct codec_event *ev)
{
    const struct http_request *r = ev->request;
    if (r) {
        buf_puts(out, "request ");
        put_bytes(out, r->method);
        buf_putc(out, ' ');
        put_bytes(out, r->target);
        for (size_t i = 0; i < r->headers_n; i++) {
            buf_puts(out, " ");
            put_bytes(out, r->headers[i].name);
            buf_putc(out, '=');
            put_bytes(out, r->headers[i].value);
        }
        buf_puts(out, r->is_keep_alive ? " " : " last ");
    } else {
        buf_puts(out, ev->is_binary ? "binary " : "text ");
    }
    buf_printf(out, "%zu ", ev->payload.len);
    put_bytes(out, ev->payload);
}

static void put_event(struct buf *out, const struct codec_event *ev)
{
    switch (ev->kind) {
    case CODEC_NOTHING:
        return;
    case CODEC_OPEN:
        buf_puts(out, "open");
        if (!ev->request) /* the side that dials */
            break;
        buf_putc(out, ' ');
        put_bytes(out, ev->request->method);
        buf_putc(out, ' ');
        put_bytes(out, ev->request->target);
        break;
    case CODEC_MESSAGE:
        put_message(out, ev);
        break;
    case CODEC_CONTROL:
        buf_puts(out, "control");
        break;
    case CODEC_CLOSE:
        buf_printf(out, "close %u ", ev->close_code);
        put_bytes(out, ev->payload);
        break;
    }
    buf_putc(out, '\n');
}

/* Copies a reply, leaving out "Date: …\r\n", which no expectation could hold. */
static void keep_reply(struct feed *f, const struct buf *reply)
{
    struct span rest = buf_span(reply);
    if (rest.len == 0)
        return;
    const uint8_t *date = memmem(rest.at, rest.len, "\r\nDate: ", 8);
    if (date) {
        buf_put(&f->replies, rest.at, (size_t)(date - rest.at));
        rest = span_skip(rest, (size_t)(date - rest.at) + 2);
        span_cut(&rest, '\r');
        buf_putc(&f->replies, '\r');
    }
    buf_put_span(&f->replies, rest);
}

/* Moves what is left into a new block: a codec that kept a pointer, or reads beyond the end, is
 * caught by the address sanitizer. */
static void drop_front(struct feed *f, size_t n)
{
    uint8_t *fresh = malloc(f->rest_len - n + 1);
    memcpy(fresh, f->rest + n, f->rest_len - n);
    free(f->rest);
    f->rest_len -= n;
    f->rest = realloc(fresh, f->rest_len > 0 ? f->rest_len : 1);
}

static ssize_t step(struct feed *f)
{
    struct codec_event ev;
    struct buf reply = {0};
    ssize_t n = f->codec->decode(f->state, f->conf, f->rest, f->rest_len, &ev, &reply);
    if (n > (ssize_t)f->rest_len) {
        fprintf(stderr, "%s used %zd bytes of %zu\n", f->codec->name, n, f->rest_len);
        abort();
    }
    size_t max = f->conf->message_max_bytes;
    if (n > 0 && max > 0 && ev.payload.len > max) {
        fprintf(stderr, "%s gave %zu bytes of at most %zu\n", f->codec->name, ev.payload.len, max);
        abort();
    }
    if (n > 0)
        put_event(&f->events, &ev);
    keep_reply(f, &reply);
    buf_fini(&reply);
    if (n > 0)
        drop_front(f, (size_t)n);
    if (n < 0) {
        f->error = (int)n;
        buf_printf(&f->events, "error %d\n", f->error);
    }
    return n;
}

void feed_bytes(struct feed *f, struct span bytes)
{
    if (f->error || bytes.len == 0)
        return;
    f->rest = realloc(f->rest, f->rest_len + bytes.len);
    memcpy(f->rest + f->rest_len, bytes.at, bytes.len);
    f->rest_len += bytes.len;
    while (step(f) > 0) {
    }
}

void feed_cut(struct feed *f, struct span bytes, unsigned how)
{
    unsigned seed = how;
    while (bytes.len > 0) {
        size_t n = bytes.len;
        if (how == 1)
            n = 1;
        else if (how > 1) { /* short pieces more often than long ones, and never none */
            size_t max = rand_r(&seed) % 4 ? 12 : 2 * bytes.len;
            n = (size_t)rand_r(&seed) % max + 1;
        }
        if (n > bytes.len)
            n = bytes.len;
        feed_bytes(f, span_of(bytes.at, n));
        bytes = span_skip(bytes, n);
    }
}

const char *feed_events(struct feed *f)
{
    return buf_cstr(&f->events);
}
