/* The hop: a second process behind the floor that sends every message back over TCP. */
#ifndef BENCH_HOP_H
#define BENCH_HOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/outbuf.h"

/* Forks the second process and connects to it. The descriptor, or -1 with a message. The child ends
 * when the descriptor is closed. */
int hop_start(bool is_gathering);

/* On the way and back alike: u32 length of the payload, u32 tag, both in the machine's order. */
void hop_put(struct outbuf *out, uint32_t tag, const uint8_t *payload, size_t len);

struct hop_message {
    uint32_t tag;
    const uint8_t *payload;
    size_t len;
};
/* The message at the front: its length, or 0 when it is not complete. */
size_t hop_get(const uint8_t *at, size_t len, struct hop_message *out);

#endif
