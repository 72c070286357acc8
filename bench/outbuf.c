/* Bytes that wait to be sent on a socket. */
#include "bench/outbuf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CAPACITY_MIN = 4096 };

uint8_t *outbuf_reserve(struct outbuf *b, size_t n)
{
    if (b->sent > 0 && b->sent == b->len)
        b->sent = b->len = 0;
    if (b->len + n > b->capacity && b->sent > 0) {
        memmove(b->at, b->at + b->sent, b->len - b->sent);
        b->len -= b->sent;
        b->sent = 0;
    }
    if (b->len + n > b->capacity) {
        size_t capacity = b->capacity ? b->capacity : CAPACITY_MIN;
        while (capacity < b->len + n)
            capacity *= 2;
        b->at = realloc(b->at, capacity);
        if (!b->at) {
            perror("outbuf");
            abort();
        }
        b->capacity = capacity;
    }
    return b->at + b->len;
}

void outbuf_put(struct outbuf *b, const void *bytes, size_t n)
{
    memcpy(outbuf_reserve(b, n), bytes, n);
    b->len += n;
}

int outbuf_send(struct outbuf *b, int fd)
{
    while (b->sent < b->len) {
        ssize_t n = send(fd, b->at + b->sent, b->len - b->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        b->sent += (size_t)n;
    }
    b->sent = b->len = 0;
    return 0;
}

void outbuf_free(struct outbuf *b)
{
    free(b->at);
    *b = (struct outbuf){0};
}
