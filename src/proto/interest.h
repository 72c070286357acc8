/* The body of CMD_INTEREST: a run of entries that say which groups and uids a gateway holds. */
#ifndef PROTO_INTEREST_H
#define PROTO_INTEREST_H

#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"

enum interest_kind { INTEREST_GROUPS, INTEREST_UIDS, INTEREST_KINDS };

enum interest_word {
    INTEREST_HELD,    /* this name has a member now */
    INTEREST_GONE,    /* it has none any more */
    INTEREST_UNKNOWN, /* of the whole kind: forget what was told, reckon with every name */
    INTEREST_KNOWN,   /* of the whole kind: all names that have members were told */
};

/* u8 word * 2 + kind, u8 length, the name (docs/wire.md §3, interest). The last two words have
 * none. */
struct interest_entry {
    enum interest_word word;
    enum interest_kind kind;
    struct span name; /* at most 255 bytes; of interest_next(): borrowed from the body */
};

void interest_put(struct buf *out, const struct interest_entry *e);
/* Takes the first entry off. 1, 0 at the end, or GW_EPROTO. */
int interest_next(struct span *body, struct interest_entry *out) NODISCARD;

#endif
