/* WebSocket frames (RFC 6455 §5): heads read and written, masks, close codes. */
#include "proto/ws.h"

#include "base/bytes.h"
#include "proto/codec.h"

enum {
    WS_FIN = 0x80,
    WS_RSV = 0x70,
    WS_RSV_FREE = WS_RSV & ~WS_RSV1,
    WS_OPCODE = 0x0f,
    WS_MASKED = 0x80,
    WS_LEN = 0x7f
};
enum { WS_LEN_16 = 126, WS_LEN_64 = 127, WS_CONTROL_MAX = 125 };

/* Compilers make vector instructions of it wherever there are some. */
typedef uint64_t wide __attribute__((vector_size(16)));

bool ws_mask(uint8_t *at, size_t len, uint8_t key[WS_KEY])
{
    uint64_t word, seen;
    memcpy(&word, key, WS_KEY);
    memcpy((uint8_t *)&word + WS_KEY, key, WS_KEY);
    const wide mask = {word, word};
    wide all = {0, 0};
    size_t done = 0;
    for (; len - done >= 2 * sizeof(wide); done += 2 * sizeof(wide)) {
        wide two[2];
        memcpy(two, at + done, sizeof(two));
        two[0] ^= mask;
        two[1] ^= mask;
        all |= two[0] | two[1];
        memcpy(at + done, two, sizeof(two));
    }
    seen = all[0] | all[1];
    for (; len - done >= sizeof(word); done += sizeof(word)) {
        uint64_t eight;
        memcpy(&eight, at + done, sizeof(eight));
        eight ^= word;
        seen |= eight;
        memcpy(at + done, &eight, sizeof(eight));
    }
    for (size_t i = done; i < len; i++)
        seen |= at[i] ^= key[i % WS_KEY];

    uint8_t turned[WS_KEY];
    for (size_t i = 0; i < WS_KEY; i++)
        turned[i] = key[(len + i) % WS_KEY];
    memcpy(key, turned, WS_KEY);
    return (seen & UINT64_C(0x8080808080808080)) == 0;
}

bool ws_is_close_code(uint16_t code)
{
    if (code >= 3000)
        return code <= 4999;
    if (code == 1004 || code == 1005 || code == 1006) /* §7.4.1: never in a frame */
        return false;
    return code >= 1000 && code <= 1014; /* 1012 to 1014 came by registration, 1015 is like 1006 */
}

bool ws_is_control(uint8_t opcode)
{
    return opcode >= WS_CLOSE;
}

/* Only the first frame of a message may say that it is compressed: RFC 7692 §6. */
static bool may_have_rsv1(uint8_t opcode, struct ws_context in)
{
    return in.may_deflate && (opcode == WS_TEXT || opcode == WS_BINARY);
}

/* What is wrong with the first byte of a frame, or NULL: RFC 6455 §5.2, §5.4, §5.5. */
static const char *judge_first(uint8_t first, struct ws_context in)
{
    bool is_message_open = in.is_message_open;
    if (first & (may_have_rsv1(first & WS_OPCODE, in) ? WS_RSV_FREE : WS_RSV))
        return "reserved bits are set";
    switch (first & WS_OPCODE) {
    case WS_CONTINUATION:
        return is_message_open ? NULL : "there is no message to continue";
    case WS_TEXT:
    case WS_BINARY:
        return is_message_open ? "the message before is not finished" : NULL;
    case WS_CLOSE:
    case WS_PING:
    case WS_PONG:
        return first & WS_FIN ? NULL : "a control frame is fragmented";
    default:
        return "the opcode is unknown";
    }
}

/* The same for the second byte: §5.1, §5.5. */
static const char *judge_second(uint8_t opcode, uint8_t second)
{
    if (!(second & WS_MASKED))
        return "the frame is not masked";
    if (ws_is_control(opcode) && (second & WS_LEN) > WS_CONTROL_MAX)
        return "a control frame is too long";
    return NULL;
}

/* The payload length, in its shortest form only (§5.2). Returns the bytes that head and length
 * fill, 0 when they are not all there; *wrong tells what is bad. */
static size_t read_len(const uint8_t *at, size_t len, uint64_t *payload_len, const char **wrong)
{
    uint8_t short_len = at[1] & WS_LEN;
    if (short_len < WS_LEN_16) {
        *payload_len = short_len;
        return 2;
    }
    if (short_len == WS_LEN_16) {
        if (len < 4)
            return 0;
        *payload_len = get_u16be(at + 2);
        if (*payload_len < WS_LEN_16)
            *wrong = "the length is not in its shortest form";
        return 4;
    }
    if (len > 2 && at[2] & 0x80)
        *wrong = "the length has its highest bit set";
    if (len < 10)
        return 0;
    *payload_len = get_u64be(at + 2);
    if (*payload_len <= UINT16_MAX)
        *wrong = "the length is not in its shortest form";
    return 10;
}

size_t ws_read_head(struct ws_head *h, const uint8_t *at, size_t len, struct ws_context in,
                    const char **wrong)
{
    *wrong = NULL;
    if (len == 0)
        return 0;
    h->opcode = at[0] & WS_OPCODE;
    h->is_final = at[0] & WS_FIN;
    h->is_deflated = at[0] & WS_RSV1;
    *wrong = judge_first(at[0], in);
    if (*wrong || len < 2)
        return 0;
    *wrong = judge_second(h->opcode, at[1]);
    if (*wrong)
        return 0;
    size_t n = read_len(at, len, &h->payload_len, wrong);
    if (*wrong || n == 0)
        return 0;
    if (len >= n + WS_KEY)
        memcpy(h->key, at + n, WS_KEY);
    return n + WS_KEY;
}

size_t ws_put_head(uint8_t *to, enum ws_opcode opcode, size_t payload_len)
{
    to[0] = (uint8_t)(WS_FIN | opcode);
    if (payload_len < WS_LEN_16) {
        to[1] = (uint8_t)payload_len;
        return 2;
    }
    if (payload_len <= UINT16_MAX) {
        to[1] = WS_LEN_16;
        put_u16be(to + 2, (uint16_t)payload_len);
        return 4;
    }
    to[1] = WS_LEN_64;
    put_u64be(to + 2, payload_len);
    return 10;
}

size_t ws_put_close(uint8_t *to, uint16_t code, struct span reason)
{
    if (!ws_is_close_code(code))
        return ws_put_head(to, WS_CLOSE, 0);
    size_t max = WS_CONTROL_MAX - sizeof(code);
    if (reason.len > max) {
        reason.len = max;
        while (reason.len > 0 && (reason.at[reason.len] & 0xc0) == 0x80)
            reason.len--;
    }
    size_t n = ws_put_head(to, WS_CLOSE, sizeof(code) + reason.len);
    put_u16be(to + n, code);
    n += sizeof(code);
    if (reason.len > 0)
        memcpy(to + n, reason.at, reason.len);
    return n + reason.len;
}
