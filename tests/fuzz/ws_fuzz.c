/* WebSocket from hostile clients: one byte of choices, then what the client sends. */
#include "fuzz/both_ways.h"

static const char handshake[] =
    "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

enum { IS_HANDSHAKE_OWN = 0x80 }; /* else frames follow a good handshake */

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static const struct codec_conf conf = {
        .message_max_bytes = 300, .head_max_bytes = 400, .fragments_max_n = 6};
    if (len == 0)
        return 0;
    struct span opening = span_str(handshake);
    if (at[0] & IS_HANDSHAKE_OWN)
        opening.len = 0;
    fuzz_both_ways(&ws_codec, &conf, opening, span_of(at + 1, len - 1), at[0] | 1, true);
    return 0;
}
