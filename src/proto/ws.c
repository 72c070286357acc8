/* WebSocket, the server's side: RFC 6455, strict, with permessage-deflate (RFC 7692) where agreed.
 *
 * A frame that lies whole in the input is unmasked where it lies and handed out from there. A data
 * frame of which only a part has arrived is taken in piece by piece: its bytes are unmasked and
 * checked once, in a buffer that grows with what came, never with what was announced. Frame heads
 * and control frames (131 bytes at most) wait in the caller's input until they are whole, but are
 * refused at the first byte that is wrong. A compressed message is inflated as its bytes come: what
 * is kept, checked and limited is the text that comes out. Between messages a connection is a
 * struct ws of 40 bytes and nothing else, but for the contexts of ws_deflate.h where takeover was
 * agreed.
 */
#include "proto/ws.h"

#include <errno.h>

#include <gw/err.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "proto/codec.h"

enum ws_phase {
    WS_HANDSHAKE, /* a request head is awaited */
    WS_HEAD,      /* a frame head, or a control frame */
    WS_PAYLOAD,   /* the rest of a data frame: frame_left bytes */
    WS_GONE,      /* after a goodbye: whatever still comes is dropped */
};

enum { INFLATE_FIRST_MIN = 256 };

/* A message that is not whole yet, or was just handed out. */
struct ws_message {
    size_t len;
    size_t cap;
    uint8_t at[];
};

struct ws {
    union {
        struct ws_message *message;
        struct http_request *request; /* between the handshake and the next decode() */
        void *lent;
    };
    struct ws_deflate_own *own; /* contexts of compression; NULL while none is needed */
    union {
        uint64_t frame_left; /* WS_PAYLOAD */
        size_t searched;     /* WS_HANDSHAKE: see http_resume_request() */
    };
    uint32_t frames_n; /* of the open message */
    uint8_t key[WS_KEY];
    uint8_t phase;
    uint8_t kind;         /* opcode of the open message, 0 when there is none */
    utf8_state utf8;      /* of an open text message, else UTF8_OK */
    bool is_final : 1;    /* the current frame ends its message */
    bool is_lent : 1;     /* the last event pointed into `lent` */
    bool is_deflated : 1; /* the open message */
    struct ws_deflate_terms terms;
};
_Static_assert(sizeof(struct ws) <= 40, "every idle connection has one of these");

static size_t ws_encode(uint8_t *to, struct span payload, bool is_binary)
{
    size_t head_len = ws_put_head(to, is_binary ? WS_BINARY : WS_TEXT, payload.len);
    if (payload.len > 0)
        memcpy(to + head_len, payload.at, payload.len);
    return head_len + payload.len;
}

static void put_close(struct buf *reply, uint16_t code, const char *reason)
{
    uint8_t *to = buf_reserve(reply, CODEC_CLOSE_MAX);
    buf_commit(reply, ws_put_close(to, code, span_str(reason)));
}

static void give_back(struct ws *ws)
{
    mem_free(ws->lent);
    ws->lent = NULL;
    ws->is_lent = false;
}

/* Says goodbye with the reason, for the author of the client to read. */
static ssize_t fail(struct ws *ws, struct buf *reply, uint16_t code, const char *reason)
{
    give_back(ws);
    ws_deflate_own_free(ws->own);
    ws->own = NULL;
    ws->phase = WS_GONE;
    put_close(reply, code, reason);
    switch (code) {
    case 1007:
        return GW_EUTF8;
    case 1008:
    case 1009:
        return GW_ETOOBIG;
    case 1011:
        return -ENOMEM;
    default:
        return GW_EPROTO;
    }
}

static size_t message_max(const struct codec_conf *conf)
{
    return conf->message_max_bytes > 0 ? conf->message_max_bytes : SIZE_MAX / 4;
}

/* What the bytes of a compressed message may add up to. The limit itself is for what comes out of
 * them, which is a little less at worst: stored blocks and flushes cost five bytes each. Without
 * this one, a message of empty blocks would never end. */
static uint64_t deflated_max(uint64_t max)
{
    return max + max / 8 + 1024;
}

/* Limits are judged when the head announces, before anything is stored. */
static ssize_t judge_limits(struct ws *ws, const struct codec_conf *conf, const struct ws_head *h,
                            struct buf *reply)
{
    if (ws_is_control(h->opcode))
        return 0;
    uint64_t have = ws->message ? ws->message->len : 0;
    uint64_t max = message_max(conf);
    bool is_continued = h->opcode == WS_CONTINUATION;
    if (is_continued ? ws->is_deflated : h->is_deflated) {
        have = is_continued ? ws_inflate_taken(ws->own) : 0;
        max = deflated_max(max);
    }
    if (h->payload_len > max || have > max - h->payload_len)
        return fail(ws, reply, 1009, "the message is too big");
    uint32_t frames_n = ws->kind ? ws->frames_n : 0;
    if (conf->fragments_max_n > 0 && frames_n >= conf->fragments_max_n)
        return fail(ws, reply, 1008, "the message has too many fragments");
    return 0;
}

/* Returns the length of the head, 0 need more, or < 0 after a goodbye. */
static ssize_t read_head(struct ws *ws, const struct codec_conf *conf, const uint8_t *at,
                         size_t len, struct ws_head *h, struct buf *reply)
{
    const char *wrong;
    struct ws_context in = {.is_message_open = ws->kind != 0,
                            .may_deflate = ws_deflate_is_on(ws->terms)};
    size_t head_len = ws_read_head(h, at, len, in, &wrong);
    if (wrong)
        return fail(ws, reply, 1002, wrong);
    if (head_len == 0)
        return 0;
    ssize_t rc = judge_limits(ws, conf, h, reply);
    if (rc < 0)
        return rc;
    return len < head_len ? 0 : (ssize_t)head_len;
}

/* §5.5.1, §7.1.5: the goodbye is answered by its own code, a bad one by the code for that. */
static ssize_t take_close(struct ws *ws, struct span payload, struct codec_event *ev,
                          struct buf *reply)
{
    uint16_t code = 1005;
    struct span reason = span_skip(payload, sizeof(code));
    if (payload.len == 1)
        return fail(ws, reply, 1002, "a close code has two bytes");
    if (payload.len >= sizeof(code)) {
        code = get_u16be(payload.at);
        if (!ws_is_close_code(code))
            return fail(ws, reply, 1002, "the close code is not valid");
    }
    if (!utf8_is_valid(reason))
        return fail(ws, reply, 1007, "the close reason is not UTF-8");
    give_back(ws);
    ws->phase = WS_GONE;
    put_close(reply, code, "");
    ev->kind = CODEC_CLOSE;
    ev->close_code = code;
    ev->payload = reason;
    return 0;
}

static ssize_t take_control(struct ws *ws, struct ws_head *h, uint8_t *at, struct codec_event *ev,
                            struct buf *reply)
{
    struct span payload = span_of(at, (size_t)h->payload_len);
    ws_mask(at, payload.len, h->key);
    if (h->opcode == WS_CLOSE)
        return take_close(ws, payload, ev, reply);
    if (h->opcode == WS_PING) {
        uint8_t head[WS_HEAD_MAX];
        buf_put(reply, head, ws_put_head(head, WS_PONG, payload.len));
        buf_put_span(reply, payload);
    }
    ev->kind = CODEC_CONTROL;
    return 0;
}

static void deliver(struct ws *ws, struct span payload, struct codec_event *ev)
{
    ev->kind = CODEC_MESSAGE;
    ev->is_binary = ws->kind == WS_BINARY;
    ev->payload = payload;
    ws->kind = 0;
}

static bool set_cap(struct ws *ws, size_t cap)
{
    struct ws_message *m = mem_try_realloc(ws->message, sizeof(*m) + cap);
    if (!m)
        return false;
    if (!ws->message)
        m->len = 0;
    m->cap = cap;
    ws->message = m;
    return true;
}

/* Room for n more bytes, twice as much as before or, when the end is known, just what is needed. */
static bool make_room(struct ws *ws, size_t n)
{
    const struct ws_message *m = ws->message;
    size_t len = m ? m->len : 0;
    if (m && m->cap - len >= n)
        return true;
    size_t cap = len + (m && m->cap > n ? m->cap : n);
    if (ws->is_final && cap - len > ws->frame_left)
        cap = len + (size_t)ws->frame_left;
    return set_cap(ws, cap);
}

static void check_text(struct ws *ws, struct span bytes)
{
    if (ws->kind == WS_TEXT)
        ws->utf8 = utf8_feed(ws->utf8, bytes);
}

static ssize_t collect(struct ws *ws, struct span bytes, struct buf *reply)
{
    if (bytes.len == 0)
        return 0;
    if (!make_room(ws, bytes.len))
        return fail(ws, reply, 1011, "out of memory");
    memcpy(ws->message->at + ws->message->len, bytes.at, bytes.len);
    ws->message->len += bytes.len;
    check_text(ws, bytes);
    return 0;
}

/* Room for what comes out of n compressed bytes. One byte beyond the limit shows that it is passed.
 */
static bool make_inflate_room(struct ws *ws, size_t n, size_t max)
{
    const struct ws_message *m = ws->message;
    if (m && m->cap > m->len)
        return true;
    size_t cap = m ? 2 * m->cap : INFLATE_FIRST_MIN;
    if (!m && n > cap / 4)
        cap = 4 * n;
    return set_cap(ws, cap <= max ? cap : max + 1);
}

/* Takes in compressed bytes; the limit is judged each time the room is full. */
static ssize_t inflate_bytes(struct ws *ws, const struct codec_conf *conf, struct span bytes,
                             bool is_end, struct buf *reply)
{
    size_t max = message_max(conf);
    int rc = 1;
    if (bytes.len == 0 && ws_inflate_taken(ws->own) == 0)
        return 0; /* RFC 7692 §7.2.3.6 sends an empty message as one byte; some send none */
    while (rc > 0) {
        if (!make_inflate_room(ws, bytes.len, max))
            return fail(ws, reply, 1011, "out of memory");
        struct ws_message *m = ws->message;
        size_t len = m->cap - m->len;
        uint8_t *to = m->at + m->len;
        rc = ws_inflate(ws->own, &bytes, is_end, to, &len);
        m->len += len;
        check_text(ws, span_of(to, len)); /* first, so that cuts make no difference */
        if (ws->utf8 == UTF8_BAD)
            return 0; /* told by the caller */
        if (m->len > max)
            return fail(ws, reply, 1009, "the message is too big");
    }
    if (rc == -ENOMEM)
        return fail(ws, reply, 1011, "out of memory");
    return rc == 0 ? 0 : fail(ws, reply, 1007, "the compressed data is broken");
}

static void end_message(struct ws *ws, const struct codec_conf *conf, struct codec_event *ev)
{
    const struct ws_message *m = ws->message;
    if (ws->is_deflated)
        ws_inflate_end(conf->deflate, &ws->own, ws->terms);
    deliver(ws, m ? span_of(m->at, m->len) : span_of("", 0), ev);
    ws->is_lent = true;
}

/* Takes in what is there of the current data frame. */
static ssize_t take_payload(struct ws *ws, const struct codec_conf *conf, uint8_t *at, size_t len,
                            struct codec_event *ev, struct buf *reply)
{
    struct span bytes = span_of(at, len < ws->frame_left ? len : (size_t)ws->frame_left);
    ws_mask(at, bytes.len, ws->key);
    bool is_end = ws->is_final && bytes.len == ws->frame_left;
    ssize_t rc =
        ws->is_deflated ? inflate_bytes(ws, conf, bytes, is_end, reply) : collect(ws, bytes, reply);
    if (rc < 0)
        return rc;
    ws->frame_left -= bytes.len;
    if (ws->utf8 == UTF8_BAD || (is_end && ws->utf8 != UTF8_OK))
        return fail(ws, reply, 1007, "the text is not UTF-8");
    if (ws->frame_left == 0)
        ws->phase = WS_HEAD;
    if (is_end)
        end_message(ws, conf, ev);
    return (ssize_t)bytes.len;
}

/* A data frame whose head was read; `at` is behind it. Returns the payload bytes used. */
static ssize_t take_data(struct ws *ws, const struct codec_conf *conf, const struct ws_head *h,
                         uint8_t *at, size_t len, struct codec_event *ev, struct buf *reply)
{
    bool is_alone = h->opcode != WS_CONTINUATION && h->is_final && !h->is_deflated;
    if (h->opcode != WS_CONTINUATION) {
        ws->kind = h->opcode;
        ws->frames_n = 0;
        ws->is_deflated = h->is_deflated;
        if (h->is_deflated && ws_inflate_begin(conf->deflate, &ws->own, ws->terms) < 0)
            return fail(ws, reply, 1011, "out of memory");
    }
    memcpy(ws->key, h->key, WS_KEY);
    if (is_alone && len >= h->payload_len) {
        struct span payload = span_of(at, (size_t)h->payload_len);
        bool is_ascii = ws_mask(at, payload.len, ws->key);
        if (ws->kind == WS_TEXT && !is_ascii && !utf8_is_valid(payload))
            return fail(ws, reply, 1007, "the text is not UTF-8");
        deliver(ws, payload, ev);
        ev->is_in_input = true;
        return (ssize_t)payload.len;
    }
    ws->frames_n++;
    ws->is_final = h->is_final;
    ws->frame_left = h->payload_len;
    ws->phase = WS_PAYLOAD;
    return take_payload(ws, conf, at, len, ev, reply);
}

static ssize_t take_frame(struct ws *ws, const struct codec_conf *conf, uint8_t *at, size_t len,
                          struct codec_event *ev, struct buf *reply)
{
    struct ws_head h;
    ssize_t head_len = read_head(ws, conf, at, len, &h, reply);
    if (head_len <= 0)
        return head_len;
    uint8_t *payload = at + head_len;
    size_t have = len - (size_t)head_len;
    if (!ws_is_control(h.opcode)) {
        ssize_t n = take_data(ws, conf, &h, payload, have, ev, reply);
        return n < 0 ? n : head_len + n;
    }
    if (have < h.payload_len)
        return 0;
    ssize_t rc = take_control(ws, &h, payload, ev, reply);
    return rc < 0 ? rc : head_len + (ssize_t)h.payload_len;
}

static ssize_t refuse_handshake(struct ws *ws, struct buf *reply, ssize_t rc, int status,
                                const char *text)
{
    http_put_error(reply, status, text, clock_wall_s());
    ws->phase = WS_GONE;
    return rc;
}

static ssize_t read_handshake(struct ws *ws, const struct codec_conf *conf, struct span in,
                              struct http_request *r, struct buf *reply)
{
    ssize_t n = http_resume_request(in, conf->head_max_bytes, &ws->searched, r);
    if (n < 0)
        return refuse_handshake(ws, reply, n, r->error_status, r->error_text);
    if (n == 0)
        return 0;
    int rc = ws_answer_handshake(r, conf->deflate, &ws->terms, reply);
    if (rc < 0)
        ws->phase = WS_GONE;
    return rc < 0 ? rc : n;
}

static ssize_t take_handshake(struct ws *ws, const struct codec_conf *conf, const uint8_t *at,
                              size_t len, struct codec_event *ev, struct buf *reply)
{
    static const char start[] = "GET ";
    size_t start_len = len < strlen(start) ? len : strlen(start);
    if (memcmp(at, start, start_len) != 0) /* told at once: vector garbage */
        return refuse_handshake(ws, reply, GW_EPROTO, 400,
                                "A WebSocket handshake begins with GET.");
    struct http_request *r = mem_alloc(sizeof(*r));
    ssize_t n = read_handshake(ws, conf, span_of(at, len), r, reply);
    if (n <= 0) {
        mem_free(r);
        return n;
    }
    ws->request = r;
    ws->is_lent = true;
    ws->frame_left = 0;
    ws->phase = WS_HEAD;
    ev->kind = CODEC_OPEN;
    ev->request = ws->request;
    return n;
}

static ssize_t ws_decode(void *state, const struct codec_conf *conf, uint8_t *at, size_t len,
                         struct codec_event *ev, struct buf *reply)
{
    struct ws *ws = state;
    *ev = (struct codec_event){.kind = CODEC_NOTHING};
    if (ws->is_lent)
        give_back(ws);
    if (len == 0)
        return 0;
    switch ((enum ws_phase)ws->phase) {
    case WS_HANDSHAKE:
        return take_handshake(ws, conf, at, len, ev, reply);
    case WS_HEAD:
        return take_frame(ws, conf, at, len, ev, reply);
    case WS_PAYLOAD:
        return take_payload(ws, conf, at, len, ev, reply);
    case WS_GONE:
        break;
    }
    return (ssize_t)len;
}

static void ws_fini(void *state)
{
    struct ws *ws = state;
    give_back(ws);
    ws_deflate_own_free(ws->own);
}

/* ---- compressed output ---- */

/* The window is all that a context that starts anew with each message depends on. */
static uint8_t ws_variant(const void *state)
{
    const struct ws *ws = state;
    return ws->terms.keeps_ours ? CODEC_OWN : ws->terms.server_bits;
}

static size_t ws_encode_variant(void *state, const struct codec_conf *conf, uint8_t *to,
                                struct span payload, bool is_binary)
{
    struct ws *ws = state;
    return ws_deflate_frame(conf->deflate, &ws->own, ws->terms, to, payload, is_binary);
}

const struct codec ws_codec = {
    .name = "websocket",
    .state_bytes = sizeof(struct ws),
    .has_handshake = true,
    .fini = ws_fini,
    .decode = ws_decode,
    .encode = ws_encode,
    .variant = ws_variant,
    .encode_variant = ws_encode_variant,
    .encode_close = ws_put_close,
};
