/* What the loop and the threads of NATS tell one another: records in a row, in a byte buffer. */
#ifndef CLUSTER_RECORD_H
#define CLUSTER_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

enum record_kind {
    /* out */
    RECORD_PUBLISH,
    RECORD_SUBSCRIBE,
    RECORD_UNSUBSCRIBE,
    /* in */
    RECORD_UP,       /* data: the server */
    RECORD_FRESH_UP, /* the same, the first time */
    RECORD_DOWN,     /* data: why */
    RECORD_MESSAGE,
    RECORD_TROUBLE, /* data: what */
    RECORD_ROOM,
};

/* In front of: subject, NUL, reply, NUL, data. */
struct record {
    uint32_t data_len;
    uint16_t subject_len;
    uint16_t reply_len;
    uint8_t kind;
};

static inline size_t record_bytes(size_t subject_len, size_t reply_len, size_t data_len)
{
    return sizeof(struct record) + subject_len + 1 + reply_len + 1 + data_len;
}

/* Subject and reply have fewer than 64 KiB, data fewer than 4 GiB. */
void record_put(struct buf *to, enum record_kind kind, const char *subject, const char *reply,
                struct span data);
/* The record at the front, which is whole; returns its bytes. All are borrowed from `from`. */
size_t record_get(struct span from, struct record *r, const char **subject, const char **reply,
                  struct span *data);

#endif
