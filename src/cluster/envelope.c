/* What every message on NATS begins with: what it is, and for wire packets who has them already. */
#include "cluster/envelope.h"

#include "base/bytes.h"

enum { VERSION = 1, HEAD = 8, LIFE_BYTES = 8 };

void envelope_put_spared(struct buf *out, struct gateway_at at)
{
    buf_put_u32be(out, at.ip);
    buf_put_u16be(out, at.port);
}

void envelope_put(struct buf *out, const struct envelope *e)
{
    uint8_t life[LIFE_BYTES];

    buf_putc(out, VERSION);
    buf_putc(out, (uint8_t)e->kind);
    buf_put_u16be(out, (uint16_t)(e->spared.len / ENVELOPE_SPARED_BYTES));
    buf_put_u32be(out, e->question);
    buf_put_span(out, e->spared);
    if (e->kind == ENVELOPE_ANSWER || e->kind == ENVELOPE_HERE || e->kind == ENVELOPE_LEFT)
        envelope_put_spared(out, e->at);
    put_u64be(life, e->life);
    if (e->kind == ENVELOPE_HERE || e->kind == ENVELOPE_LEFT)
        buf_put(out, life, sizeof life);
}

static struct gateway_at at_of(const uint8_t *p)
{
    return (struct gateway_at){.ip = get_u32be(p), .port = get_u16be(p + 4)};
}

/* Bytes of the fixed fields behind the spared. */
static size_t fields_of(enum envelope_kind kind)
{
    switch (kind) {
    case ENVELOPE_ANSWER:
        return ENVELOPE_SPARED_BYTES;
    case ENVELOPE_HERE:
    case ENVELOPE_LEFT:
        return ENVELOPE_SPARED_BYTES + LIFE_BYTES;
    default:
        return 0;
    }
}

bool envelope_read(struct span bytes, struct envelope *out)
{
    if (bytes.len < HEAD || bytes.at[0] != VERSION || bytes.at[1] < ENVELOPE_ORDER ||
        bytes.at[1] > ENVELOPE_WHO)
        return false;
    *out = (struct envelope){.kind = (enum envelope_kind)bytes.at[1],
                             .question = get_u32be(bytes.at + 4)};
    size_t spared_len = (size_t)get_u16be(bytes.at + 2) * ENVELOPE_SPARED_BYTES;
    size_t fields_len = fields_of(out->kind);
    struct span body = span_skip(bytes, HEAD);
    if (body.len < spared_len + fields_len)
        return false;
    out->spared = span_of(body.at, spared_len);
    body = span_skip(body, spared_len);
    if (fields_len > 0)
        out->at = at_of(body.at);
    if (fields_len > ENVELOPE_SPARED_BYTES)
        out->life = get_u64be(body.at + ENVELOPE_SPARED_BYTES);
    out->rest = span_skip(body, fields_len);
    return true;
}

bool envelope_spares(const struct envelope *e, struct gateway_at at)
{
    for (size_t i = 0; i < e->spared.len; i += ENVELOPE_SPARED_BYTES)
        if (gateway_at_eq(at_of(e->spared.at + i), at))
            return true;
    return false;
}
