/* A long answer in the making: entries of a PHP array in pieces, its head once they are counted. */
#ifndef GATEWAY_PARTS_H
#define GATEWAY_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"
#include "base/vec.h"

struct chunk_pool;
struct peer;

enum { ARRAY_HEAD_MAX = 24 }; /* a:18446744073709551615:{ */

/* Writes "a:n:{" so that it ends right before `end`, which has ARRAY_HEAD_MAX bytes in front;
 * returns where it begins. */
uint8_t *parts_head(uint8_t *end, uint64_t n) NODISCARD;

/* Zero-initialised is empty. The first piece begins with room for the head. */
struct parts {
    struct vec pieces; /* struct chunk */
    uint64_t bytes;    /* of all pieces, without that room */
    uint32_t off;      /* where the head begins in the first piece, once it is there */
    size_t sent_n;
    bool is_begun; /* the peer was told how long it is */
};

void parts_fini(struct parts *a);
void parts_add(struct parts *a, struct chunk_pool *chunks, struct span entries);
/* Everything was added: it is an array of n entries. */
void parts_end(struct parts *a, struct chunk_pool *chunks, uint64_t n);
/* Queues pieces until the peer's queue holds ahead_bytes, and lets go of them. true: those were the
 * last. */
bool parts_send(struct parts *a, struct peer *to, uint64_t ahead_bytes);

#endif
