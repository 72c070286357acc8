/* The 28-byte head of inner packets, written and read; layout in docs/wire.md and wire.h. */
#include "proto/wire.h"

#include <gw/err.h>

#include "base/bytes.h"

/* Offsets of the head's fields, vectors/README.md "The packet". */
enum {
    AT_PACK_LEN = 0,
    AT_CMD = 4,
    AT_LOCAL_IP = 5,
    AT_LOCAL_PORT = 9,
    AT_CLIENT_IP = 11,
    AT_CLIENT_PORT = 15,
    AT_CONNECTION_ID = 17,
    AT_FLAG = 21,
    AT_GATEWAY_PORT = 22,
    AT_EXT_LEN = 24,
};

void wire_encode(uint8_t *to, const struct wire_packet *p)
{
    put_u32be(to + AT_PACK_LEN, (uint32_t)wire_size(p));
    to[AT_CMD] = p->cmd;
    put_u32be(to + AT_LOCAL_IP, p->local_ip);
    put_u16be(to + AT_LOCAL_PORT, p->local_port);
    put_u32be(to + AT_CLIENT_IP, p->client_ip);
    put_u16be(to + AT_CLIENT_PORT, p->client_port);
    put_u32be(to + AT_CONNECTION_ID, p->connection_id);
    to[AT_FLAG] = p->flag;
    put_u16be(to + AT_GATEWAY_PORT, p->gateway_port);
    put_u32be(to + AT_EXT_LEN, (uint32_t)p->ext.len);
    if (p->ext.len > 0)
        memcpy(to + WIRE_HEAD, p->ext.at, p->ext.len);
    if (p->body.len > 0)
        memcpy(to + WIRE_HEAD + p->ext.len, p->body.at, p->body.len);
}

void wire_put(struct buf *out, const struct wire_packet *p)
{
    size_t size = wire_size(p);

    wire_encode(buf_reserve(out, size), p);
    buf_commit(out, size);
}

ssize_t wire_packet_len(struct span in, size_t max_bytes)
{
    if (in.len < sizeof(uint32_t))
        return 0;
    uint32_t len = get_u32be(in.at + AT_PACK_LEN);
    if (len < WIRE_HEAD)
        return GW_EPROTO;
    if (len > max_bytes)
        return GW_ETOOBIG;
    return in.len < len ? 0 : (ssize_t)len;
}

ssize_t wire_decode(struct span in, size_t max_bytes, struct wire_packet *out)
{
    ssize_t len = wire_packet_len(in, max_bytes);

    if (len <= 0)
        return len;
    const uint8_t *at = in.at;
    struct span rest = span_of(at + WIRE_HEAD, (size_t)len - WIRE_HEAD);
    size_t ext_len = get_u32be(at + AT_EXT_LEN);
    if (ext_len > rest.len)
        ext_len = rest.len;
    *out = (struct wire_packet){
        .cmd = at[AT_CMD],
        .flag = at[AT_FLAG],
        .local_ip = get_u32be(at + AT_LOCAL_IP),
        .local_port = get_u16be(at + AT_LOCAL_PORT),
        .client_ip = get_u32be(at + AT_CLIENT_IP),
        .client_port = get_u16be(at + AT_CLIENT_PORT),
        .connection_id = get_u32be(at + AT_CONNECTION_ID),
        .gateway_port = get_u16be(at + AT_GATEWAY_PORT),
        .ext = span_of(rest.at, ext_len),
        .body = span_skip(rest, ext_len),
    };
    return len;
}

const char *wire_cmd_name(uint8_t cmd)
{
#define NAME(c) [c] = #c
    static const char *const names[] = {
        NAME(CMD_ON_CONNECT),
        NAME(CMD_ON_MESSAGE),
        NAME(CMD_ON_CLOSE),
        NAME(CMD_SEND_TO_ONE),
        NAME(CMD_SEND_TO_ALL),
        NAME(CMD_KICK),
        NAME(CMD_DESTROY),
        NAME(CMD_UPDATE_SESSION),
        NAME(CMD_GET_ALL_CLIENT_SESSIONS),
        NAME(CMD_IS_ONLINE),
        NAME(CMD_BIND_UID),
        NAME(CMD_UNBIND_UID),
        NAME(CMD_SEND_TO_UID),
        NAME(CMD_GET_CLIENT_ID_BY_UID),
        NAME(CMD_BATCH_GET_CLIENT_ID_BY_UID),
        NAME(CMD_JOIN_GROUP),
        NAME(CMD_LEAVE_GROUP),
        NAME(CMD_SEND_TO_GROUP),
        NAME(CMD_GET_CLIENT_SESSIONS_BY_GROUP),
        NAME(CMD_GET_CLIENT_COUNT_BY_GROUP),
        NAME(CMD_SELECT),
        NAME(CMD_GET_GROUP_ID_LIST),
        NAME(CMD_UNGROUP),
        NAME(CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP),
        NAME(CMD_WORKER_CONNECT),
        NAME(CMD_PING),
        NAME(CMD_GATEWAY_CLIENT_CONNECT),
        NAME(CMD_GET_SESSION_BY_CLIENT_ID),
        NAME(CMD_SET_SESSION),
        NAME(CMD_ON_WEBSOCKET_CONNECT),
        NAME(CMD_HELLO),
        NAME(CMD_DRAIN),
        NAME(CMD_DRAIN_MARK),
        NAME(CMD_DRAINED),
        NAME(CMD_RELEASE),
        NAME(CMD_DONE),
        NAME(CMD_REPLY),
        NAME(CMD_RECEIPT),
        NAME(CMD_ON_HANDSHAKE),
        NAME(CMD_JUDGE),
        NAME(CMD_ON_BROKEN),
        NAME(CMD_FINISHED),
        NAME(CMD_INTEREST),
        NAME(CMD_PONG),
        NAME(CMD_ON_BUFFER_FULL),
        NAME(CMD_ON_BUFFER_DRAIN),
    };
#undef NAME
    const char *name = cmd < ARRAY_LEN(names) ? names[cmd] : NULL;

    return name ? name : "unknown";
}
