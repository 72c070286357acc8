/* Messages on NATS from hostile publishers: an envelope that is understood can be written again,
 * and holds wire packets whose bytes are its own. */
#include <stdlib.h>

#include "base/bytes.h"
#include "cluster/envelope.h"
#include "fuzz/both_ways.h"
#include "proto/wire.h"

enum { PACKET_MAX = 65536 };

static bool is_within(struct span part, struct span whole)
{
    return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

/* Nothing is left out and nothing is made up: what was read is all that was sent. */
static void check_round_trip(struct span sent, const struct envelope *e)
{
    struct buf written = {0};

    envelope_put(&written, e);
    buf_put_span(&written, e->rest);
    if (!span_eq(buf_span(&written), sent))
        abort();
    buf_fini(&written);
}

/* Without the last byte in front of the rest it is none; without the rest it still is one. */
static void check_cut(struct span sent, const struct envelope *e)
{
    struct envelope cut;
    size_t head = sent.len - e->rest.len;

    if (envelope_read(span_of(sent.at, head - 1), &cut))
        abort();
    if (!envelope_read(span_of(sent.at, head), &cut) || cut.rest.len != 0)
        abort();
}

/* Each address of the list is found, and so is one that is appended to it. */
static void check_spared(const struct envelope *e)
{
    static const struct gateway_at here = {.ip = 0x7f000001, .port = 2300};
    struct buf more = {0};
    struct envelope with = {.kind = ENVELOPE_ORDER};

    if (e->spared.len % ENVELOPE_SPARED_BYTES != 0)
        abort();
    for (size_t i = 0; i < e->spared.len; i += ENVELOPE_SPARED_BYTES)
        if (!envelope_spares(e, (struct gateway_at){.ip = get_u32be(e->spared.at + i),
                                                    .port = get_u16be(e->spared.at + i + 4)}))
            abort();
    buf_put_span(&more, e->spared);
    envelope_put_spared(&more, here);
    with.spared = buf_span(&more);
    if (!envelope_spares(&with, here))
        abort();
    buf_fini(&more);
}

/* As gateway and worker take the packets out of an order or an answer. */
static void check_packets(struct span rest)
{
    struct wire_packet p;
    ssize_t used;

    while ((used = wire_decode(rest, PACKET_MAX, &p)) > 0) {
        if ((size_t)used > rest.len || !is_within(p.ext, rest) || !is_within(p.body, rest))
            abort();
        rest = span_skip(rest, (size_t)used);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    struct span sent = span_of(at, len);
    struct envelope e;

    if (!envelope_read(sent, &e))
        return 0;
    if (!is_within(e.spared, sent) || !is_within(e.rest, sent) || e.rest.len >= sent.len)
        abort();
    check_round_trip(sent, &e);
    check_cut(sent, &e);
    check_spared(&e);
    check_packets(e.rest);
    return 0;
}
