/* The one interface of every client protocol: bytes in, messages out, and back; no I/O. */
#ifndef PROTO_CODEC_H
#define PROTO_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/span.h"

struct http_request;
struct ws_deflate;

enum codec_event_kind {
    CODEC_NOTHING, /* bytes were used, there is nothing to tell yet */
    CODEC_OPEN,    /* the handshake is complete; `request` is set; the answer waits in `reply` */
    CODEC_MESSAGE, /* a whole message in `payload` */
    CODEC_CONTROL, /* a ping or pong was handled: no message, but the peer is alive */
    CODEC_CLOSE,   /* the peer said goodbye: close_code, reason in `payload`, answer in `reply` */
};

struct codec_event {
    enum codec_event_kind kind;
    bool is_binary;   /* WebSocket opcode 2; false for protocols without kinds */
    bool is_in_input; /* the payload lies there: nothing is lent that the next call gives back */
    /* CODEC_CLOSE: 1005 when the peer gave none. With GW_EREFUSED: the HTTP status, 0 unless it is
     * an error's. */
    uint16_t close_code;
    struct span payload; /* borrowed: valid until the next decode() or until the input moves */
    const struct http_request *request; /* borrowed likewise; NULL without an HTTP head */
};

/* Shared by all connections of a listener; outlives them. 0 means: no limit of this kind. */
struct codec_conf {
    size_t message_max_bytes;   /* payload of one message, all fragments together */
    size_t head_max_bytes;      /* handshake or request head */
    uint32_t fragments_max_n;   /* frames of one message */
    struct ws_deflate *deflate; /* WebSocket: compression may be agreed on; NULL: it may not */
    /* Of the side that dials, where the protocol begins with a word of it: sent as soon as the
     * connection is there. */
    struct span greeting;
};

/* The largest number of bytes encode() adds to a payload, and encode_close() writes. */
enum { CODEC_OVERHEAD_MAX = 16, CODEC_CLOSE_MAX = 4 + 125 };

/* How messages to a connection are encoded: numbers in between are ways that all connections of a
 * listener with the same number understand. */
enum { CODEC_PLAIN = 0, CODEC_OWN = UINT8_MAX };

struct codec {
    const char *name;          /* as before "://" in listen */
    size_t state_bytes;        /* per connection; zero-filled before init */
    bool has_handshake;        /* messages out must wait until CODEC_OPEN was answered */
    void (*init)(void *state); /* NULL: nothing to do */
    void (*fini)(void *state); /* NULL: nothing to do */

    /* Looks at the bytes received and not yet used. Returns > 0 bytes used (look again, also with
     * the same call when bytes remain), 0 need more bytes than these, or < 0 a GW_E… code: the
     * peer broke the protocol or a limit and must be closed after `reply` was sent (which then
     * holds a farewell, for instance a close frame with its code or an HTTP error). The codec may
     * rewrite the input in place (unmasking) and keeps parts of long messages itself, so that a
     * peer's bytes are never looked at twice. Whatever is put into `reply` must be sent, after the
     * event has been handled (not behind a goodbye of ours: nothing may follow a close frame).
     * Call again after every event, also when no byte is left (len 0, answer 0), unless it
     * is_in_input: only then is the memory given back in which a collected payload or a request
     * lies, so that idle connections hold none. */
    ssize_t (*decode)(void *state, const struct codec_conf *conf, uint8_t *at, size_t len,
                      struct codec_event *ev, struct buf *reply);

    /* Writes the framed payload; `to` has room for payload.len + CODEC_OVERHEAD_MAX. Does not look
     * at any connection, so that one result serves all members of a group. Returns the length. */
    size_t (*encode)(uint8_t *to, struct span payload, bool is_binary);

    /* NULL where every connection reads what encode() writes. */
    uint8_t (*variant)(const void *state);
    /* As encode(), for connections of that variant, which is not CODEC_PLAIN. Returns 0 where
     * encode() serves them better (all of them read that, too). Changes the state and what it was
     * told before only for CODEC_OWN: then the result must be sent to this connection. */
    size_t (*encode_variant)(void *state, const struct codec_conf *conf, uint8_t *to,
                             struct span payload, bool is_binary);

    /* Writes a goodbye (`to` has room for CODEC_CLOSE_MAX); NULL where the protocol has none. */
    size_t (*encode_close)(uint8_t *to, uint16_t code, struct span reason);
};

extern const struct codec ws_codec;    /* RFC 6455, server side: proto/ws.c */
extern const struct codec text_codec;  /* lines ended by \n: proto/text.c */
extern const struct codec frame_codec; /* u32be length that includes itself: proto/frame.c */
extern const struct codec tcp_codec;   /* whatever arrives is a message: proto/tcp.c */
extern const struct codec http_codec;  /* requests with bodies, server side: proto/http_codec.c */
extern const struct codec wire_codec;  /* gateway-worker packets: proto/wire_codec.c */
extern const struct codec reply_codec; /* answers to queries: u32be length, value */

/* By the name before "://", among the client protocols (websocket, text, frame, tcp, http); NULL
 * when unknown. */
const struct codec *codec_find(struct span name);

#endif
