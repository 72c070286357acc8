/* The body of CMD_INTEREST: a run of entries that say which groups and uids a gateway holds. */
#include "proto/interest.h"

#include <gw/err.h>

enum { ENTRY_HEAD = 2 };

static unsigned first_byte(enum interest_word word, enum interest_kind kind)
{
    return (unsigned)word * INTEREST_KINDS + (unsigned)kind;
}

void interest_put(struct buf *out, const struct interest_entry *e)
{
    buf_putc(out, (uint8_t)first_byte(e->word, e->kind));
    buf_putc(out, (uint8_t)e->name.len);
    buf_put_span(out, e->name);
}

int interest_next(struct span *body, struct interest_entry *out)
{
    if (body->len == 0)
        return 0;
    if (body->len < ENTRY_HEAD || body->at[0] > first_byte(INTEREST_KNOWN, INTEREST_UIDS))
        return GW_EPROTO;
    size_t len = body->at[1];
    out->word = (enum interest_word)(body->at[0] / INTEREST_KINDS);
    out->kind = (enum interest_kind)(body->at[0] % INTEREST_KINDS);
    if (len > body->len - ENTRY_HEAD || (len > 0) != (out->word <= INTEREST_GONE))
        return GW_EPROTO;
    out->name = span_of(body->at + ENTRY_HEAD, len);
    *body = span_skip(*body, ENTRY_HEAD + len);
    return 1;
}
