/* Follows TLS 1.3 records without decrypting them: how many bytes they carry. */
#ifndef BENCH_RECORDS_H
#define BENCH_RECORDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { RECORD_HEAD_BYTES = 5 };

/* Zero-initialise at the beginning of a record. */
struct records {
    uint8_t head[RECORD_HEAD_BYTES];
    size_t head_n; /* of its bytes that came */
    size_t left;   /* bytes of the record that are still to come behind a whole head */
    size_t content;
};

/* Bytes as they come off the socket. Returns how many bytes of content the records have that ended
 * among them, or -1 when that is no encrypted TLS 1.3. */
ssize_t records_take(struct records *r, const uint8_t *at, size_t len);

#endif
