/* What every message on NATS begins with: what it is, and for wire packets who has them already. */
#ifndef CLUSTER_ENVELOPE_H
#define CLUSTER_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"
#include "client/addr_book.h"

/* docs/cluster.md has the layout. All numbers are big-endian. */
enum envelope_kind {
    ENVELOPE_ORDER = 1,  /* to gateways: wire packets, the last one a query when question > 0 */
    ENVELOPE_ANSWER = 2, /* of gateway `at` to a question: a CMD_REPLY */
    ENVELOPE_HERE = 3,   /* gateway `at` is there; the rest is the name of its host */
    ENVELOPE_LEFT = 4,   /* gateway `at` ends */
    ENVELOPE_WHO = 5,    /* to gateways: say that you are there */
};

enum { ENVELOPE_SPARED_MAX = UINT16_MAX, ENVELOPE_SPARED_BYTES = 6 };

struct envelope {
    enum envelope_kind kind;
    uint32_t question;    /* the asker's number; 0: none */
    struct gateway_at at; /* ANSWER, HERE, LEFT */
    uint64_t life;        /* HERE, LEFT: drawn by each gateway process when it starts */
    struct span spared;   /* ORDER: addresses of ENVELOPE_SPARED_BYTES each that do not take it */
    struct span rest;
};

/* Appends everything but the rest, which the caller appends behind it. */
void envelope_put(struct buf *out, const struct envelope *e);
/* Appends one address to what will be `spared`. */
void envelope_put_spared(struct buf *out, struct gateway_at at);
/* Spans point into `bytes`. false: none of ours, or of a version that is not known here. */
bool envelope_read(struct span bytes, struct envelope *out) NODISCARD;
bool envelope_spares(const struct envelope *e, struct gateway_at at);

#endif
