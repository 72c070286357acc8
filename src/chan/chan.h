/* A connection that speaks a codec: messages in, messages out, handshake and goodbye. */
#ifndef CHAN_CHAN_H
#define CHAN_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/span.h"
#include "net/conn.h"
#include "proto/codec.h"

struct chan;

struct chan_events {
    /* Ready for messages: connected, for WebSocket the handshake request is complete and valid (its
     * answer leaves after this call). ev->request is NULL without an HTTP head. May be NULL.
     * Calling chan_refuse() inside turns the handshake down. */
    void (*on_open)(struct chan *ch, void *owner, const struct codec_event *ev);
    /* ev->kind is CODEC_MESSAGE. The payload is borrowed. */
    void (*on_message)(struct chan *ch, void *owner, const struct codec_event *ev);
    /* The peer shows life without a message (ping, pong). May be NULL. */
    void (*on_control)(struct chan *ch, void *owner);
    /* The peer's goodbye (CODEC_CLOSE: code, reason in the payload), before on_close. May be NULL.
     */
    void (*on_goodbye)(struct chan *ch, void *owner, const struct codec_event *ev);
    /* The peer broke the protocol. true: messages that came before may still be answered, so the
     * farewell waits for chan_finish(), a second at most. May be NULL: false. */
    bool (*on_broken)(struct chan *ch, void *owner);
    void (*on_drain)(struct chan *ch, void *owner); /* see conn_want_drain(); may be NULL */
    /* Exactly once, last. close_code: as the peer sent it, 1005 none, 1006 no goodbye; after
     * GW_EREFUSED the HTTP status of the refusal, when it had one. */
    void (*on_close)(struct chan *ch, void *owner, int why, uint16_t close_code);
};

/* Shared by all channels of a listener or of a kind of link; outlives them. */
struct chan_kind {
    const struct codec *codec;
    struct codec_conf codec_conf;
    struct conn_conf conn_conf;
    const struct chan_events *events;
    /* From the transport's readiness (whose own handshake conn_conf limits) to on_open; 0: none.
     * Late: answered by HTTP 408, then closed with GW_ETIMEOUT. */
    uint64_t open_timeout_ms;
};

/* Over an accepted descriptor (taken, also when it fails). NULL: errno. */
struct chan *chan_new(struct conn_pool *p, int fd, const struct addr *peer,
                      const struct transport *transport, void *transport_state,
                      const struct chan_kind *kind, void *owner) NODISCARD;
/* Connects; on_open or on_close follows, never from inside this call. NULL: errno. */
struct chan *chan_dial(struct conn_pool *p, const struct addr *to, const struct chan_kind *kind,
                       void *owner) NODISCARD;

/* The same over another transport; takes transport_state, also when it fails. */
struct chan *chan_dial_over(struct conn_pool *p, const struct addr *to,
                            const struct transport *transport, void *transport_state,
                            const struct chan_kind *kind, void *owner) NODISCARD;

/* Over a connection that is open and was somebody else's: see conn_adopt(). For codecs with a
 * handshake, which is still to come; the connection was made with chan_room_bytes() for it. */
size_t chan_room_bytes(const struct codec *codec);
struct chan *chan_adopt(struct conn *c, const struct chan_kind *kind, void *owner) NODISCARD;

/* Encodes and queues. Before the handshake is answered the framed bytes wait (counted against the
 * queue limit) and leave right after the answer. 0, GW_ECLOSED, GW_EFULL. */
int chan_send(struct chan *ch, struct span payload, bool is_binary) NODISCARD;
/* Queues bytes that are framed already: the caller's encode into conn_pool_scratch(), or raw. */
int chan_queue(struct chan *ch, struct chunk *chunk, uint32_t off, uint32_t len) NODISCARD;
int chan_send_raw(struct chan *ch, struct span bytes) NODISCARD;

/* How the peer wants its messages: see proto/codec.h. CODEC_PLAIN before the handshake. */
uint8_t chan_variant(const struct chan *ch);
/* Encodes in a variant other than CODEC_PLAIN and CODEC_OWN, for all channels of the kind that have
 * the same; room as for codec.encode(). 0: the plain form serves them better. */
size_t chan_encode_variant(struct chan *ch, uint8_t *to, struct span payload, bool is_binary);

/* The answer to a handshake. Inside on_open, or while it is held: */
/* It is that HTTP status and a text, and then the end. */
void chan_refuse(struct chan *ch, int http_status, const char *text);
/* A yes carries this header, too. The caller has seen to it that neither holds a line end. */
void chan_add_header(struct chan *ch, const char *name, struct span value);
/* Inside on_open: no answer yet, and nothing is read, until chan_release() says yes or
 * chan_refuse() no. After open_timeout_ms it is refused with 503. */
void chan_hold(struct chan *ch);
void chan_release(struct chan *ch); /* nothing happens when it is not held (any more) */
bool chan_is_held(const struct chan *ch);

/* Flushes, then closes. code 0: no goodbye frame (what CMD_KICK does on the wire); else the
 * protocol's goodbye with code and reason where it has one, and the peer's answer is awaited for
 * close_timeout_ms at most (RFC 6455 §7.1.1: the server closes TCP after both). Twice is fine. */
void chan_close(struct chan *ch, uint16_t code, struct span reason);
void chan_finish(struct chan *ch); /* see on_broken; nothing happens when nothing is postponed */
void chan_destroy(struct chan *ch, int why); /* drops queued output */
bool chan_is_open(const struct chan *ch);    /* after on_open, before close */
bool chan_is_closing(const struct chan *ch);

static inline struct conn *chan_conn(const struct chan *ch)
{
    return conn_of_room(ch);
}
const struct chan_kind *chan_kind_of(const struct chan *ch);
void *chan_owner(const struct chan *ch);
void chan_set_owner(struct chan *ch, void *owner);

#endif
