/* A growable byte buffer with a front that can be consumed. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"

/* Zero-initialised is empty and holds no memory: `struct buf b = {0};`. */
struct buf {
    uint8_t *at;   /* first unread byte; invalid after any call that may grow */
    size_t len;    /* unread bytes */
    size_t cap;    /* bytes available from `at` */
    uint8_t *base; /* start of the allocation */
};

void buf_fini(struct buf *b);  /* frees; the buffer is empty and usable again */
void buf_clear(struct buf *b); /* empties, keeps the memory */

/* Room for `more` bytes behind the content; returns where to write them. Aborts without memory. */
uint8_t *buf_reserve(struct buf *b, size_t more);
/* The same for a size a peer chose: NULL without memory. */
uint8_t *buf_try_reserve(struct buf *b, size_t more) NODISCARD;
void buf_commit(struct buf *b, size_t n);  /* n bytes were written behind the content */
void buf_consume(struct buf *b, size_t n); /* drops n bytes at the front */

void buf_put(struct buf *b, const void *at, size_t len);
void buf_put_span(struct buf *b, struct span s);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, uint8_t byte);
void buf_put_u16be(struct buf *b, uint16_t v);
void buf_put_u32be(struct buf *b, uint32_t v);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *b, const char *fmt, va_list args) PRINTF_LIKE(2, 0);
/* Adds a NUL behind the content (not counted in len) and returns the content as a C string. */
const char *buf_cstr(struct buf *b);

static inline struct span buf_span(const struct buf *b)
{
    return span_of(b->at, b->len);
}

#endif
