/* WebSocket, the side that dials: RFC 6455, without extensions.
 *
 * The answer to the handshake is checked against the request, which the connection's conf keeps
 * (codec_conf.greeting). Frames from a server come without a mask; a message is collected in a
 * buffer of the connection, which it keeps only until the message was handed out. */
#include "proto/ws_client.h"

#include <errno.h>
#include <string.h>

#include <gw/err.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "proto/ws.h"

enum { HEAD_MAX = 16 * 1024 };
enum { FIN = 0x80, RESERVED = 0x70, OPCODE = 0x0f, MASKED = 0x80, LEN = 0x7f, CONTROL_MAX = 125 };

static const char key_name[] = "Sec-WebSocket-Key: ";

enum phase { AWAITS_ANSWER, AWAITS_FRAME, GONE };

struct ws_client {
    uint8_t phase;
    uint8_t kind; /* opcode of the open message, 0 when there is none */
    bool is_lent; /* the last event pointed into message */
    uint32_t frames_n;
    struct buf message;
};

/* ---- out ---- */

void ws_put_request(struct buf *out, struct span host, struct span target)
{
    uint8_t raw[16];
    char key[WS_KEY_TEXT + 1];

    crypto_random(raw, sizeof raw);
    crypto_base64(span_of(raw, sizeof raw), key, sizeof key);
    buf_puts(out, "GET ");
    buf_put_span(out, target);
    buf_puts(out, " HTTP/1.1\r\nHost: ");
    buf_put_span(out, host);
    buf_printf(out,
               "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               "%s%s\r\n\r\n",
               key_name, key);
}

/* Turns a server's frame into a client's: the mask goes between head and payload (§5.3). */
static size_t mask_frame(uint8_t *frame, size_t head_len, size_t payload_len)
{
    uint8_t key[WS_KEY];

    crypto_random(key, sizeof key);
    memmove(frame + head_len + WS_KEY, frame + head_len, payload_len);
    memcpy(frame + head_len, key, WS_KEY);
    frame[1] |= MASKED;
    ws_mask(frame + head_len + WS_KEY, payload_len, key);
    return head_len + WS_KEY + payload_len;
}

static size_t put_frame(uint8_t *to, enum ws_opcode opcode, struct span payload)
{
    size_t head_len = ws_put_head(to, opcode, payload.len);

    if (payload.len > 0)
        memcpy(to + head_len, payload.at, payload.len);
    return mask_frame(to, head_len, payload.len);
}

static size_t client_encode(uint8_t *to, struct span payload, bool is_binary)
{
    return put_frame(to, is_binary ? WS_BINARY : WS_TEXT, payload);
}

static size_t client_encode_close(uint8_t *to, uint16_t code, struct span reason)
{
    enum { FRAME_HEAD = 2, ROOM = CODEC_CLOSE_MAX - FRAME_HEAD - WS_KEY };
    size_t room = ROOM - sizeof code;

    if (reason.len > room) { /* the mask takes four bytes of the longest goodbye */
        while (room > 0 && (reason.at[room] & 0xc0) == 0x80)
            room--;
        reason.len = room;
    }
    size_t len = ws_put_close(to, code, reason);
    return mask_frame(to, FRAME_HEAD, len - FRAME_HEAD);
}

static void reply_with(struct buf *reply, enum ws_opcode opcode, struct span payload)
{
    uint8_t *to = buf_reserve(reply, payload.len + CODEC_OVERHEAD_MAX);

    buf_commit(reply, put_frame(to, opcode, payload));
}

static ssize_t fail(struct ws_client *w, struct buf *reply, uint16_t code, const char *reason,
                    int rc)
{
    uint8_t *to = buf_reserve(reply, CODEC_CLOSE_MAX);

    buf_commit(reply, client_encode_close(to, code, span_str(reason)));
    w->phase = GONE;
    return rc;
}

/* ---- the handshake's answer ---- */

static bool is_accepted(struct span greeting, struct span accept)
{
    const char *at = memmem(greeting.at, greeting.len, key_name, strlen(key_name));
    char want[WS_ACCEPT_TEXT + 1];

    if (!at)
        return false;
    ws_accept_of((const uint8_t *)at + strlen(key_name), want);
    return span_is(accept, want);
}

/* §4.1: 101, Upgrade, Connection (a list) and the right Sec-WebSocket-Accept; no extension or
 * subprotocol was offered, so none may be chosen. */
static bool is_agreed(struct span head, struct span greeting)
{
    struct span line = span_cut(&head, '\n');
    bool is_upgrade = false, is_connection = false, is_right = false;

    if (line.len < 12 || memcmp(line.at, "HTTP/1.1 101", 12) != 0)
        return false;
    while (head.len > 0) {
        struct http_header h;
        line = span_trim(span_cut(&head, '\n'));
        if (line.len == 0)
            break;
        if (!http_parse_field(line, &h))
            return false;
        if (span_eq_nocase(h.name, "upgrade"))
            is_upgrade = span_eq_nocase(h.value, "websocket");
        else if (span_eq_nocase(h.name, "connection"))
            is_connection = http_lists(h.value, "upgrade");
        else if (span_eq_nocase(h.name, "sec-websocket-accept"))
            is_right = is_accepted(greeting, h.value);
        else if (span_eq_nocase(h.name, "sec-websocket-extensions") ||
                 span_eq_nocase(h.name, "sec-websocket-protocol"))
            return false;
    }
    return is_upgrade && is_connection && is_right;
}

/* The status of an answer that is an error, else 0. */
static uint16_t refused_with(struct span head)
{
    uint64_t status;

    if (head.len < 12 || memcmp(head.at, "HTTP/1.1 ", 9) != 0 ||
        !span_to_u64(span_of(head.at + 9, 3), &status) || status < 400 || status > 599)
        return 0;
    return (uint16_t)status;
}

static ssize_t take_answer(struct ws_client *w, const struct codec_conf *conf, const uint8_t *at,
                           size_t len, struct codec_event *ev)
{
    const uint8_t *end = memmem(at, len, "\r\n\r\n", 4);

    if (!end)
        return len > HEAD_MAX ? GW_ETOOBIG : 0;
    size_t head_len = (size_t)(end - at) + 4;
    if (!is_agreed(span_of(at, head_len), conf->greeting)) {
        w->phase = GONE;
        ev->close_code = refused_with(span_of(at, head_len));
        return GW_EREFUSED;
    }
    w->phase = AWAITS_FRAME;
    ev->kind = CODEC_OPEN;
    return (ssize_t)head_len;
}

/* ---- frames ---- */

struct head {
    uint8_t first;
    size_t len;
    uint64_t payload_len;
};

/* 0 when more bytes are needed. */
static size_t read_head(const uint8_t *at, size_t len, struct head *h)
{
    if (len < 2)
        return 0;
    h->first = at[0];
    h->payload_len = at[1] & LEN;
    h->len = 2;
    if (h->payload_len == 126)
        h->len = 4;
    else if (h->payload_len == 127)
        h->len = 10;
    if (len < h->len)
        return 0;
    if (h->len == 4)
        h->payload_len = get_u16be(at + 2);
    else if (h->len == 10)
        h->payload_len = get_u64be(at + 2);
    return h->len;
}

static const char *judge(const struct ws_client *w, const struct head *h, uint8_t second)
{
    uint8_t opcode = h->first & OPCODE;

    if (h->first & RESERVED)
        return "reserved bits are set";
    if (second & MASKED)
        return "a server's frame is masked";
    if (ws_is_control(opcode))
        return opcode > WS_PONG               ? "the opcode is unknown"
               : !(h->first & FIN)            ? "a control frame is fragmented"
               : (second & LEN) > CONTROL_MAX ? "a control frame is too long"
                                              : NULL;
    if (opcode > WS_BINARY)
        return "the opcode is unknown";
    if ((opcode == WS_CONTINUATION) != (w->kind != 0))
        return "fragments are out of order";
    return NULL;
}

static ssize_t take_close(struct ws_client *w, struct span payload, struct codec_event *ev,
                          struct buf *reply)
{
    uint16_t code = 1005;

    if (payload.len >= sizeof code)
        code = get_u16be(payload.at);
    if (payload.len == 1 || (payload.len > 1 && !ws_is_close_code(code)))
        return fail(w, reply, 1002, "the close code is not valid", GW_EPROTO);
    if (!utf8_is_valid(span_skip(payload, sizeof code)))
        return fail(w, reply, 1007, "the close reason is not UTF-8", GW_EUTF8);
    w->phase = GONE;
    buf_commit(reply,
               client_encode_close(buf_reserve(reply, CODEC_CLOSE_MAX), code, span_of(NULL, 0)));
    ev->kind = CODEC_CLOSE;
    ev->close_code = code;
    ev->payload = span_skip(payload, sizeof code);
    return 0;
}

static ssize_t take_control(struct ws_client *w, uint8_t opcode, struct span payload,
                            struct codec_event *ev, struct buf *reply)
{
    if (opcode == WS_CLOSE)
        return take_close(w, payload, ev, reply);
    if (opcode == WS_PING)
        reply_with(reply, WS_PONG, payload);
    ev->kind = CODEC_CONTROL;
    return 0;
}

static ssize_t take_data(struct ws_client *w, const struct head *h, struct span payload,
                         struct codec_event *ev, struct buf *reply)
{
    if (!w->kind)
        w->kind = h->first & OPCODE;
    w->frames_n++;
    uint8_t *to = buf_try_reserve(&w->message, payload.len + 1);
    if (!to)
        return fail(w, reply, 1011, "out of memory", -ENOMEM);
    if (payload.len > 0)
        memcpy(to, payload.at, payload.len);
    buf_commit(&w->message, payload.len);
    if (!(h->first & FIN))
        return 0;
    if (w->kind == WS_TEXT && !utf8_is_valid(buf_span(&w->message)))
        return fail(w, reply, 1007, "the text is not UTF-8", GW_EUTF8);
    ev->kind = CODEC_MESSAGE;
    ev->is_binary = w->kind == WS_BINARY;
    ev->payload = buf_span(&w->message);
    w->kind = 0;
    w->frames_n = 0;
    w->is_lent = true;
    return 0;
}

/* Control frames come in between and count for nothing (§5.4). */
static ssize_t judge_limits(struct ws_client *w, const struct codec_conf *conf,
                            const struct head *h, struct buf *reply)
{
    uint64_t max = conf->message_max_bytes > 0 ? conf->message_max_bytes : SIZE_MAX / 2;

    if (h->payload_len > max || w->message.len > max - h->payload_len)
        return fail(w, reply, 1009, "the message is too big", GW_ETOOBIG);
    if (conf->fragments_max_n > 0 && w->frames_n >= conf->fragments_max_n)
        return fail(w, reply, 1008, "the message has too many fragments", GW_ETOOBIG);
    return 0;
}

static ssize_t take_frame(struct ws_client *w, const struct codec_conf *conf, const uint8_t *at,
                          size_t len, struct codec_event *ev, struct buf *reply)
{
    struct head h;

    if (!read_head(at, len, &h))
        return 0;
    const char *wrong = judge(w, &h, at[1]);
    if (wrong)
        return fail(w, reply, 1002, wrong, GW_EPROTO);
    uint8_t opcode = h.first & OPCODE;
    ssize_t rc = ws_is_control(opcode) ? 0 : judge_limits(w, conf, &h, reply);
    if (rc < 0)
        return rc;
    if (len - h.len < h.payload_len)
        return 0;
    struct span payload = span_of(at + h.len, (size_t)h.payload_len);
    rc = ws_is_control(opcode) ? take_control(w, opcode, payload, ev, reply)
                               : take_data(w, &h, payload, ev, reply);
    return rc < 0 ? rc : (ssize_t)(h.len + payload.len);
}

static ssize_t client_decode(void *state, const struct codec_conf *conf, uint8_t *at, size_t len,
                             struct codec_event *ev, struct buf *reply)
{
    struct ws_client *w = state;

    *ev = (struct codec_event){.kind = CODEC_NOTHING};
    if (w->is_lent)
        buf_fini(&w->message);
    w->is_lent = false;
    if (len == 0)
        return 0;
    switch ((enum phase)w->phase) {
    case AWAITS_ANSWER:
        return take_answer(w, conf, at, len, ev);
    case AWAITS_FRAME:
        return take_frame(w, conf, at, len, ev, reply);
    case GONE:
        break;
    }
    return (ssize_t)len;
}

static void client_fini(void *state)
{
    struct ws_client *w = state;

    buf_fini(&w->message);
}

const struct codec ws_client_codec = {
    .name = "websocket",
    .state_bytes = sizeof(struct ws_client),
    .has_handshake = true,
    .fini = client_fini,
    .decode = client_decode,
    .encode = client_encode,
    .encode_close = client_encode_close,
};
