/* The packet between gateway, worker and client library: 28-byte head, ext_data, body. */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/span.h"

enum { WIRE_HEAD = 28, WIRE_PACKET_MAX = 10 * 1024 * 1024 };

/* Names and numbers of GatewayWorker 4; vectors/README.md has the layout. */
enum wire_cmd {
    CMD_ON_CONNECT = 1,
    CMD_ON_MESSAGE = 3,
    CMD_ON_CLOSE = 4,
    CMD_SEND_TO_ONE = 5,
    CMD_SEND_TO_ALL = 6,
    CMD_KICK = 7,
    CMD_DESTROY = 8,
    CMD_UPDATE_SESSION = 9,
    CMD_GET_ALL_CLIENT_SESSIONS = 10,
    CMD_IS_ONLINE = 11,
    CMD_BIND_UID = 12,
    CMD_UNBIND_UID = 13,
    CMD_SEND_TO_UID = 14,
    CMD_GET_CLIENT_ID_BY_UID = 15,
    CMD_BATCH_GET_CLIENT_ID_BY_UID = 16,
    CMD_JOIN_GROUP = 20,
    CMD_LEAVE_GROUP = 21,
    CMD_SEND_TO_GROUP = 22,
    CMD_GET_CLIENT_SESSIONS_BY_GROUP = 23,
    CMD_GET_CLIENT_COUNT_BY_GROUP = 24,
    CMD_SELECT = 25,
    CMD_GET_GROUP_ID_LIST = 26,
    CMD_UNGROUP = 27,
    CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP = 28,
    CMD_WORKER_CONNECT = 200,
    CMD_PING = 201,
    CMD_GATEWAY_CLIENT_CONNECT = 202,
    CMD_GET_SESSION_BY_CLIENT_ID = 203,
    CMD_SET_SESSION = 204,
    CMD_ON_WEBSOCKET_CONNECT = 205,

    /* Ours, only between peers that both speak them. A worker offers them in the JSON of
     * CMD_WORKER_CONNECT ("gatehouse":1), a client library in that of CMD_GATEWAY_CLIENT_CONNECT; a
     * gateway of ours accepts with CMD_HELLO as its first packet, before any event. docs/wire.md
     * has the steps. */
    CMD_HELLO = 220,      /* g→w body: JSON {"gatehouse":1}, "interest":1 if asked for */
    CMD_DRAIN = 221,      /* w→g: send me no new events */
    CMD_DRAIN_MARK = 222, /* g→w: the events before this packet were the last */
    CMD_DRAINED = 223,    /* w→g body: u32be ids of clients whose events are still in hand */
    CMD_RELEASE = 224,    /* w→g connection_id: the last event of that client is done */
    CMD_DONE = 225,       /* w→g body: u32be count of events finished since the last CMD_DONE */
    CMD_REPLY = 226,      /* g→w body: the serialized value, or with WIRE_MORE a part of it; with
                             WIRE_SCALAR there is none: it would be too large, or the query is
                             malformed. In request order */
    CMD_RECEIPT = 227,    /* query: how many clients the last send on this connection reached */
    CMD_ON_HANDSHAKE = 228, /* g→w body as of CMD_ON_WEBSOCKET_CONNECT: may this client come in? */
    CMD_JUDGE = 229,     /* w→g connection_id, body: u16be 0 and header lines, or status, text */
    CMD_ON_BROKEN = 230, /* g→w the client broke its protocol: tell when its callbacks are done */
    CMD_FINISHED = 231,  /* w→g connection_id: they are */
    CMD_INTEREST = 232,  /* g→w body: names that have members here, or none (proto/interest.h);
                            connection_id: its number (base/notices.h) */
    CMD_PONG = 233,      /* g→w connection_id: as in the CMD_PING that came */
    CMD_ON_BUFFER_FULL = 234,  /* g→w more waits for the client than it may */
    CMD_ON_BUFFER_DRAIN = 235, /* g→w all of it is out again */
};

enum { WIRE_IP6_BYTES = 16 };

enum wire_flag {
    WIRE_SCALAR = 1, /* the body is raw bytes, else a PHP-serialized value */
    WIRE_RAW = 2,    /* send as is, do not encode */
    WIRE_BINARY = 4, /* ours, after CMD_HELLO: the WebSocket message is (or shall be) binary */
    WIRE_IP6 = 8,    /* ours, after CMD_HELLO: an event of an IPv6 client, whose address is in front
                        of the session in ext_data */
    WIRE_MORE = 16,  /* ours: the rest of the answer comes in further CMD_REPLY */
};

struct wire_packet {
    uint8_t cmd;
    uint8_t flag;
    uint16_t local_port;
    uint32_t local_ip;
    uint32_t client_ip;
    uint16_t client_port;
    uint16_t gateway_port;
    uint32_t connection_id;
    struct span ext;
    struct span body;
};

static inline size_t wire_size(const struct wire_packet *p)
{
    return WIRE_HEAD + p->ext.len + p->body.len;
}

/* Writes wire_size(p) bytes. */
void wire_encode(uint8_t *to, const struct wire_packet *p);
void wire_put(struct buf *out, const struct wire_packet *p);

/* Reads one packet at the front. Returns its length, 0 need more, GW_EPROTO for a length below the
 * head (the original stalls or falls out of step: gateway-edge-cases pack_len_0..27) or GW_ETOOBIG
 * beyond max_bytes. An ext_len beyond the packet is cut to what is there (ext_len_too_big). */
ssize_t wire_decode(struct span in, size_t max_bytes, struct wire_packet *out) NODISCARD;
ssize_t wire_packet_len(struct span in, size_t max_bytes) NODISCARD; /* the same, but no more */

const char *wire_cmd_name(uint8_t cmd); /* "CMD_KICK"; "CMD_99" is "unknown" */

#endif
