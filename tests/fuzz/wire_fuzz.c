/* Inner packets and answers from hostile peers: one byte of choices, then what is sent. */
#include <stdlib.h>

#include "fuzz/both_ways.h"
#include "proto/wire.h"

enum { IS_REPLY = 0x80, PACKET_MAX = 300 };

/* A packet, written again, is the same but for an ext_len that was cut to the packet. */
static void check_round_trip(struct span sent)
{
    struct wire_packet p, again;
    struct buf written = {0};
    ssize_t used;

    while ((used = wire_decode(sent, PACKET_MAX, &p)) > 0) {
        buf_clear(&written);
        wire_put(&written, &p);
        if ((size_t)used > sent.len || used > PACKET_MAX || written.len != (size_t)used)
            abort();
        if (memcmp(written.at, sent.at, WIRE_HEAD - 4) != 0 ||
            memcmp(written.at + WIRE_HEAD, sent.at + WIRE_HEAD, (size_t)used - WIRE_HEAD) != 0)
            abort();
        if (wire_decode(buf_span(&written), PACKET_MAX, &again) != used ||
            !span_eq(again.ext, p.ext) || !span_eq(again.body, p.body))
            abort();
        sent = span_skip(sent, (size_t)used);
    }
    buf_fini(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static const struct codec_conf conf = {.message_max_bytes = PACKET_MAX};

    if (len == 0)
        return 0;
    struct span sent = span_of(at + 1, len - 1);
    fuzz_both_ways(at[0] & IS_REPLY ? &reply_codec : &wire_codec, &conf, (struct span){0}, sent,
                   at[0] | 1, true);
    check_round_trip(sent);
    return 0;
}
