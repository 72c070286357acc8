/* Follows TLS 1.3 records without decrypting them. */
#include "bench/records.h"

#include <string.h>

/* RFC 8446 §5.2: an encrypted record looks like application data of TLS 1.2, and holds the content,
 * one byte with its true type, and the cipher's tag: 16 bytes with every cipher that OpenSSL offers
 * by itself. */
enum { TYPE_APPLICATION_DATA = 23, TYPE_BYTES = 1, TAG_BYTES = 16, RECORD_BYTES_MAX = 16384 + 256 };

/* The head is whole: 0, or -1 when it is none. */
static int begin_record(struct records *r)
{
    size_t len = (size_t)(r->head[3] << 8 | r->head[4]);
    if (r->head[0] != TYPE_APPLICATION_DATA || r->head[1] != 3 || r->head[2] != 3 ||
        len < TYPE_BYTES + TAG_BYTES || len > RECORD_BYTES_MAX)
        return -1;
    r->left = len;
    r->content = len - TYPE_BYTES - TAG_BYTES;
    return 0;
}

/* Returns how many of the bytes belong to the record's head, or -1. */
static ssize_t take_head(struct records *r, const uint8_t *at, size_t len)
{
    size_t missing = RECORD_HEAD_BYTES - r->head_n;
    size_t n = len < missing ? len : missing;
    memcpy(r->head + r->head_n, at, n);
    r->head_n += n;
    return r->head_n == RECORD_HEAD_BYTES && begin_record(r) < 0 ? -1 : (ssize_t)n;
}

ssize_t records_take(struct records *r, const uint8_t *at, size_t len)
{
    size_t content = 0;
    while (len > 0) {
        ssize_t n;
        if (r->left == 0) {
            n = take_head(r, at, len);
            if (n < 0)
                return -1;
        } else {
            n = (ssize_t)(len < r->left ? len : r->left);
            r->left -= (size_t)n;
            if (r->left == 0) {
                content += r->content;
                r->head_n = 0;
            }
        }
        at += n;
        len -= (size_t)n;
    }
    return (ssize_t)content;
}
