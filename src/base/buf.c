/* A growable byte buffer: consumed at the front, written behind the content. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/mem.h"

enum { FIRST_CAP = 256 };

void buf_fini(struct buf *b)
{
    mem_free(b->base);
    *b = (struct buf){0};
}

/* Consumed bytes in front of the content. */
static size_t front(const struct buf *b)
{
    return (size_t)(b->at - b->base);
}

static void rewind_to(struct buf *b, size_t total)
{
    b->at = b->base;
    b->cap = total;
}

void buf_clear(struct buf *b)
{
    if (!b->base)
        return;
    rewind_to(b, b->cap + front(b));
    b->len = 0;
}

static bool grow(struct buf *b, size_t more)
{
    size_t cap = b->cap > FIRST_CAP / 2 ? b->cap : FIRST_CAP / 2;
    if (more > SIZE_MAX / 4 || b->len + more > SIZE_MAX / 4)
        return false;
    do
        cap *= 2;
    while (cap - b->len < more);
    uint8_t *base = mem_try_alloc(cap);
    if (!base)
        return false;
    if (b->len)
        memcpy(base, b->at, b->len);
    mem_free(b->base);
    b->base = base;
    rewind_to(b, cap);
    return true;
}

uint8_t *buf_try_reserve(struct buf *b, size_t more)
{
    if (b->base && b->cap - b->len >= more)
        return b->at + b->len;
    size_t total = b->base ? b->cap + front(b) : 0;
    /* Sliding pays only when the consumed front is at least as long as what has to move;
     * otherwise a reader that consumes byte by byte would move the rest again and again. */
    if (b->base && front(b) >= b->len && total - b->len >= more) {
        memmove(b->base, b->at, b->len);
        rewind_to(b, total);
    } else if (!grow(b, more)) {
        return NULL;
    }
    return b->at + b->len;
}

uint8_t *buf_reserve(struct buf *b, size_t more)
{
    uint8_t *at = buf_try_reserve(b, more);
    if (!at)
        log_fatal("out of memory: a buffer of %zu bytes cannot grow by %zu", b->len, more);
    return at;
}

void buf_commit(struct buf *b, size_t n)
{
    if (n > b->cap - b->len)
        log_fatal("buf_commit: %zu bytes, but room for %zu", n, b->cap - b->len);
    b->len += n;
}

void buf_consume(struct buf *b, size_t n)
{
    if (n > b->len)
        log_fatal("buf_consume: %zu bytes of %zu", n, b->len);
    if (n == b->len) {
        buf_clear(b);
        return;
    }
    b->at += n;
    b->len -= n;
    b->cap -= n;
}

void buf_put(struct buf *b, const void *at, size_t len)
{
    if (len == 0)
        return;
    memcpy(buf_reserve(b, len), at, len);
    b->len += len;
}

void buf_put_span(struct buf *b, struct span s)
{
    buf_put(b, s.at, s.len);
}

void buf_puts(struct buf *b, const char *text)
{
    buf_put(b, text, strlen(text));
}

void buf_putc(struct buf *b, uint8_t byte)
{
    *buf_reserve(b, 1) = byte;
    b->len++;
}

void buf_put_u16be(struct buf *b, uint16_t v)
{
    put_u16be(buf_reserve(b, 2), v);
    b->len += 2;
}

void buf_put_u32be(struct buf *b, uint32_t v)
{
    put_u32be(buf_reserve(b, 4), v);
    b->len += 4;
}

void buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    char *at = (char *)buf_reserve(b, 64);
    size_t room = b->cap - b->len;
    int len = vsnprintf(at, room, fmt, args);
    if (len < 0)
        log_fatal("buf_printf: the format \"%s\" failed", fmt);
    if ((size_t)len >= room) {
        room = (size_t)len + 1;
        at = (char *)buf_reserve(b, room);
        (void)vsnprintf(at, room, fmt, again);
    }
    va_end(again);
    b->len += (size_t)len;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    buf_vprintf(b, fmt, args);
    va_end(args);
}

const char *buf_cstr(struct buf *b)
{
    *buf_reserve(b, 1) = '\0';
    return (const char *)b->at;
}
