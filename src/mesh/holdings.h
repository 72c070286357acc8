/* What one gateway holds, as far as this side knows: which groups and uids it need not be asked
 * for.
 */
#ifndef MESH_HOLDINGS_H
#define MESH_HOLDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/nameset.h"
#include "base/span.h"
#include "proto/interest.h"

/* A name may have members there when the gateway said so, or when this side has put somebody in and
 * the gateway's word about that cannot have come yet. The second is over when a mark comes back
 * that was sent behind the command: CMD_PING, which the gateway answers behind what it tells of the
 * changes (docs/wire.md §3). One mark is under way at a time. Zero-initialised: every name. */
struct holdings {
    struct holdings_kind {
        bool is_known; /* the gateway has told all names */
        struct nameset told;
        struct nameset fresh;  /* put in since the last mark */
        struct nameset marked; /* before it */
    } kinds[INTEREST_KINDS];
    bool is_any_fresh;      /* something was put in since the last mark */
    bool is_marked;         /* a mark is under way */
    bool has_missed;        /* more than can be noted, or not read from: reckon with every name, */
    bool has_missed_marked; /* until the mark under way is back */
};

void holdings_fini(struct holdings *h); /* the link is gone: back to zero */
bool holdings_may_have(const struct holdings *h, enum interest_kind kind, struct span name);
/* The body of a CMD_INTEREST. 0 or GW_EPROTO. */
int holdings_hear(struct holdings *h, struct span body) NODISCARD;
/* This side has sent a command that puts somebody in. True: a mark is to follow in this turn. */
bool holdings_put_in(struct holdings *h, enum interest_kind kind, struct span name);
/* The gateway's words are not read in order of time for a while. True: as above. */
bool holdings_miss(struct holdings *h);
/* A mark is sent now, if there is need. */
bool holdings_mark(struct holdings *h);
/* It is back. True: another one is needed. */
bool holdings_marked(struct holdings *h);
size_t holdings_bytes(const struct holdings *h);

#endif
