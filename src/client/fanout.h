/* One query to many gateways: their answers side by side, and who failed. */
#ifndef CLIENT_FANOUT_H
#define CLIENT_FANOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "client/addr_book.h"
#include "client/breath.h"
#include "client/reach.h"
#include "proto/phpser.h"
#include "proto/wire.h"

struct gw;

struct fanout_target {
    struct gateway_at at;
    int rc;           /* < 0: no usable answer */
    bool is_silent;   /* not asked: rc tells whether what was sent to it before is out */
    bool is_left_out; /* nor sent anything: it has no member of the names, nothing is missing */
    struct buf ahead; /* beyond our links: packets in front of the question, in one piece with it */
    struct buf answer; /* the serialized value, as it came */
    struct php_doc *doc;
    const struct php_value *value; /* NULL when rc < 0 or silent */
};

/* Targets stand in the order of the gateways. */
struct fanout {
    struct fanout_target *targets;
    size_t n;
    struct buf ahead;     /* the same for all that have none of their own */
    struct breath breath; /* of whoever reads the answers */
};

/* Asks all gateways known, or the one of that address; may wait. The answers are decoded. Returns
 * fanout_rc(), or an error of the look-up; *f is to be finished with fanout_fini() in every case.
 */
int fanout_ask_all(struct gw *gw, const struct wire_packet *p, enum php_type want,
                   struct fanout *f) NODISCARD;
/* The same without gateways that have no member of the names. */
int fanout_ask_about(struct gw *gw, const struct reach *reach, const struct wire_packet *p,
                     enum php_type want, struct fanout *f) NODISCARD;
int fanout_ask_one(struct gw *gw, struct gateway_at at, const struct wire_packet *p,
                   struct fanout *f) NODISCARD;
/* Asks targets that the caller filled in; may wait. The answers are decoded. */
void fanout_ask(struct gw *gw, const struct wire_packet *p, enum php_type want, struct fanout *f);
/* 0 all answered, GW_EPARTIAL some did, else the error of the first. */
int fanout_rc(const struct fanout *f);
/* Marks a target's answer as not what was asked for. */
void fanout_refuse(struct fanout_target *t);
void fanout_fini(struct fanout *f);

#endif
