/* Lines between registry, gateways, workers and client libraries: JSON objects ended by \n. */
#ifndef PROTO_REG_H
#define PROTO_REG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"
#include "base/vec.h"

enum reg_event { REG_GATEWAY_CONNECT, REG_WORKER_CONNECT, REG_PING, REG_BROADCAST, REG_OTHER };

enum { REG_LINE_MAX = 1024 * 1024 };

struct reg_line {
    enum reg_event event;
    char *address;        /* gateway_connect; NULL when missing or empty */
    char *secret;         /* "" when missing or null */
    bool is_secret_text;  /* false: secret_key was neither text nor missing nor null */
    struct vec addresses; /* char *, broadcast_addresses: from a JSON list or object */
};

/* Parses one line (without its end). 0, or GW_EPROTO: not JSON, or no usable event. */
int reg_parse(struct span line, struct reg_line *out) NODISCARD;
void reg_line_fini(struct reg_line *l);

/* Each appends one whole line with its \n, in the bytes of vectors/register.json. Quotes and
 * backslashes in keys are escaped as JSON wants (the original breaks). */
void reg_put_gateway_connect(struct buf *out, const char *address, const char *secret);
void reg_put_worker_connect(struct buf *out, const char *secret);
void reg_put_ping(struct buf *out);
void reg_put_broadcast(struct buf *out, const char *const *addresses, size_t n);

#endif
