/* Compressed WebSocket messages: one byte of choices, then what is inside of the frames, or text
 * that is compressed and must come back. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz/both_ways.h"
#include "proto/ws.h"

static const char handshake[] =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9\r\n\r\n";

enum { IS_KEEPING = 1, IS_FRAMES = 2, IS_BINARY = 4, IS_ROUND_TRIP = 8, PIECE = 100 };
enum { FIN = 0x80, MASKED = 0x80, MESSAGE_MAX = 2000, FRAGMENTS_MAX = 6 };

/* Frames of 100 bytes, the last one final, with a mask of zeros. */
static void put_frames(struct buf *out, struct span data, bool is_binary)
{
    uint8_t first = WS_RSV1 | (is_binary ? WS_BINARY : WS_TEXT);
    do {
        size_t n = data.len < PIECE ? data.len : PIECE;
        if (n == data.len)
            first |= FIN;
        buf_putc(out, first);
        buf_putc(out, (uint8_t)(MASKED | n));
        buf_put(out, "\0\0\0\0", WS_KEY);
        buf_put_span(out, span_of(data.at, n));
        data = span_skip(data, n);
        first = WS_CONTINUATION;
    } while (data.len > 0);
}

/* What ws_deflate_frame() wrote, inflated in rooms of seven bytes. */
static void expect_same(struct ws_deflate *d, struct ws_deflate_own **own,
                        struct ws_deflate_terms terms, struct span frame, struct span text)
{
    struct span body = span_skip(frame, frame.at[1] < 126 ? 2 : frame.at[1] == 126 ? 4 : 10);
    struct buf back = {0};
    int rc = ws_inflate_begin(d, own, terms);
    if (rc < 0)
        abort();
    do {
        size_t len = 7;
        rc = ws_inflate(*own, &body, true, buf_reserve(&back, len), &len);
        buf_commit(&back, len);
    } while (rc > 0);
    ws_inflate_end(d, own, terms);
    if (rc < 0 || !span_eq(buf_span(&back), text))
        abort();
    buf_fini(&back);
}

static void round_trip(struct ws_deflate *d, struct ws_deflate_terms terms, struct span text)
{
    struct ws_deflate_own *ours = NULL;
    struct ws_deflate_own *theirs = NULL;
    for (int i = 0; i < 3; i++) {
        uint8_t *to = mem_alloc(text.len + CODEC_OVERHEAD_MAX);
        size_t n = ws_deflate_frame(d, &ours, terms, to, text, false);
        if (n > text.len + CODEC_OVERHEAD_MAX)
            abort();
        if (n > 0)
            expect_same(d, &theirs, terms, span_of(to, n), text);
        mem_free(to);
    }
    ws_deflate_own_free(ours);
    ws_deflate_own_free(theirs);
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    if (len == 0)
        return 0;
    uint8_t choices = at[0];
    bool is_keeping = choices & IS_KEEPING;
    struct span rest = span_of(at + 1, len - 1);
    struct ws_deflate_conf own = {
        .window_bits = 12, .mem_level = 1, .keeps_ours = is_keeping, .keeps_theirs = is_keeping};
    struct codec_conf conf = {.message_max_bytes = MESSAGE_MAX,
                              .head_max_bytes = 600,
                              .fragments_max_n = FRAGMENTS_MAX,
                              .deflate = ws_deflate_new(&own)};
    if (choices & IS_ROUND_TRIP) {
        struct ws_deflate_terms terms = {.server_bits = (uint8_t)(8 + (choices >> 5)),
                                         .client_bits = 15,
                                         .keeps_ours = is_keeping,
                                         .keeps_theirs = is_keeping};
        round_trip(conf.deflate, terms, rest);
    } else {
        struct buf frames = {0};
        if (choices & IS_FRAMES)
            buf_put_span(&frames, rest);
        else
            put_frames(&frames, rest, choices & IS_BINARY);
        fuzz_both_ways(&ws_codec, &conf, span_str(handshake), buf_span(&frames), choices | 1, true);
        buf_fini(&frames);
    }
    ws_deflate_free(conf.deflate);
    return 0;
}
