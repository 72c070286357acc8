/* Bytes that wait to be sent on a socket: appended at the end, sent from the front. */
#ifndef BENCH_OUTBUF_H
#define BENCH_OUTBUF_H

#include <stddef.h>
#include <stdint.h>

/* Zero-initialised is empty. */
struct outbuf {
    uint8_t *at;
    size_t sent; /* bytes at the front that are gone */
    size_t len;  /* including those */
    size_t capacity;
};

static inline size_t outbuf_pending(const struct outbuf *b)
{
    return b->len - b->sent;
}

/* Room for n more bytes; count them with b->len. Aborts without memory. */
uint8_t *outbuf_reserve(struct outbuf *b, size_t n);
void outbuf_put(struct outbuf *b, const void *bytes, size_t n);
/* Sends as much as the socket takes: 0 (see outbuf_pending()) or -errno when it broke. */
int outbuf_send(struct outbuf *b, int fd);
void outbuf_free(struct outbuf *b); /* empty again */

#endif
