/* Masks and UTF-8 are worked on many bytes at a time: the result is what it is byte by byte. Input:
 * where the text begins in memory, where it is cut in two, four bytes of key, the text. */
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "fuzz/both_ways.h"
#include "proto/ws.h"
#include "support/utf8_plain.h"

enum { TEXT_MAX = 4096, PLACES = 64, HEAD = 2 + WS_KEY };

static void check_mask(uint8_t *text, size_t len, size_t cut, const uint8_t key[WS_KEY])
{
    static uint8_t before[TEXT_MAX];
    uint8_t turning[WS_KEY];
    memcpy(before, text, len);
    memcpy(turning, key, WS_KEY);
    ws_mask(text, cut, turning);
    ws_mask(text + cut, len - cut, turning);
    for (size_t i = 0; i < len; i++)
        if (text[i] != (before[i] ^ key[i % WS_KEY])) /* RFC 6455 §5.3 */
            abort();
    memcpy(text, before, len);
}

static void check_utf8(const uint8_t *text, size_t len, size_t cut)
{
    bool is_valid = utf8_plain_is_valid(text, len);
    utf8_state state = utf8_feed(UTF8_OK, span_of(text, cut));
    state = utf8_feed(state, span_of(text + cut, len - cut));
    if (utf8_is_valid(span_of(text, len)) != is_valid || (state == UTF8_OK) != is_valid)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *at, size_t len)
{
    static uint8_t memory[PLACES + TEXT_MAX];
    if (len < HEAD || len > HEAD + TEXT_MAX)
        return 0;
    uint8_t *text = memory + at[0] % PLACES;
    size_t text_len = len - HEAD;
    size_t cut = text_len > 0 ? at[1] * text_len / UINT8_MAX : 0;
    memcpy(text, at + HEAD, text_len);
    check_mask(text, text_len, cut, at + 2);
    check_utf8(text, text_len, cut);
    return 0;
}
