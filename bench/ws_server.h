/* The server's side of RFC 6455 for the floor: only what the load generator sends, nothing checked
 * twice. */
#ifndef BENCH_WS_SERVER_H
#define BENCH_WS_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { WS_SERVER_ANSWER_MAX = 256, WS_SERVER_HEAD_MAX = 10 };

/* Answers the request head at the front: the length of the head, with the answer and its length
 * set; 0 when the head is not complete; -1 when it holds no key. */
ssize_t ws_server_answer(const char *at, size_t len, char answer[WS_SERVER_ANSWER_MAX],
                         size_t *answer_len);

struct ws_server_frame {
    uint8_t *payload; /* unmasked in place */
    size_t len;
    uint8_t opcode;
};

/* The frame at the front: its length, 0 when it is not complete, -1 when it is not masked or too
 * long for a benchmark. */
ssize_t ws_server_decode(uint8_t *at, size_t len, struct ws_server_frame *out);

/* Writes the head of an unmasked message of one frame: 2, 4 or 10 bytes. */
size_t ws_server_head(uint8_t *to, uint8_t opcode, size_t payload_len);

#endif
