/* A long answer in the making: entries of a PHP array in pieces, its head once they are counted. */
#include "gateway/parts.h"

#include <string.h>

#include "base/chunk.h"
#include "gateway/inner.h"
#include "net/conn.h"

uint8_t *parts_head(uint8_t *end, uint64_t n)
{
    *--end = '{';
    *--end = ':';
    do {
        *--end = (uint8_t)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    *--end = ':';
    *--end = 'a';
    return end;
}

void parts_fini(struct parts *a)
{
    for (size_t i = a->sent_n; i < a->pieces.len; i++)
        chunk_unref(a->pieces.at[i]);
    vec_fini(&a->pieces);
    *a = (struct parts){0};
}

/* The newest piece, with room for a byte at least. */
static struct chunk *piece_with_room(struct parts *a, struct chunk_pool *chunks)
{
    struct chunk *last = a->pieces.len > 0 ? a->pieces.at[a->pieces.len - 1] : NULL;
    if (last && last->len < REPLY_PART_MAX)
        return last;
    struct chunk *fresh = chunk_new(chunks, REPLY_PART_MAX);
    if (!last)
        fresh->len = ARRAY_HEAD_MAX;
    vec_push(&a->pieces, fresh);
    return fresh;
}

void parts_add(struct parts *a, struct chunk_pool *chunks, struct span entries)
{
    a->bytes += entries.len;
    while (entries.len > 0) {
        struct chunk *to = piece_with_room(a, chunks);
        size_t n = REPLY_PART_MAX - to->len;
        if (n > entries.len)
            n = entries.len;
        memcpy(to->at + to->len, entries.at, n);
        to->len += (uint32_t)n;
        entries = span_skip(entries, n);
    }
}

void parts_end(struct parts *a, struct chunk_pool *chunks, uint64_t n)
{
    parts_add(a, chunks, span_str("}"));
    struct chunk *first = a->pieces.at[0];
    uint8_t *end = first->at + ARRAY_HEAD_MAX;
    uint8_t *head = parts_head(end, n);
    a->off = (uint32_t)(head - first->at);
    a->bytes += (uint64_t)(end - head);
}

bool parts_send(struct parts *a, struct peer *to, uint64_t ahead_bytes)
{
    if (!a->is_begun)
        peer_reply_begin(to, a->bytes);
    a->is_begun = true; /* none of its pieces may have found room the last time */
    while (a->sent_n < a->pieces.len && conn_queued(to->conn) < ahead_bytes) {
        struct chunk *piece = a->pieces.at[a->sent_n];
        uint32_t off = a->sent_n == 0 ? a->off : 0;
        a->sent_n++;
        peer_reply_part(to, piece, off, a->sent_n == a->pieces.len);
        chunk_unref(piece);
    }
    return a->sent_n == a->pieces.len;
}
