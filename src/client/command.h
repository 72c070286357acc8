/* The packets of the Gateway API, in the bytes that GatewayClient sends for the same call. */
#ifndef CLIENT_COMMAND_H
#define CLIENT_COMMAND_H

#include <stddef.h>
#include <stdint.h>

#include <gw/gateway.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "client/addr_book.h"
#include "proto/wire.h"

/* A command with nothing but its number; the flag says that the body is plain bytes. */
struct wire_packet command_of(uint8_t cmd);
/* Names of groups and uids: 0 or GW_EBADNAME. */
int command_check_name(struct gw_bytes name) NODISCARD;

/* The parts of ext_data that are JSON, written as json_encode() does by default. Each replaces what
 * is in `out` and returns 0, GW_EBADNAME, or GW_EUTF8: JSON cannot carry such a name. */

/* ["a","b"] */
int command_names(struct buf *out, const struct gw_bytes *names, size_t n) NODISCARD;
/* {"group":["a"],"exclude":null} or {"group":["a"],"exclude":{"1":1}}: of the client ids those of
 * the gateway `at` are taken. */
int command_group(struct buf *out, const struct gw_bytes *groups, size_t n, struct gateway_at at,
                  const char *const *exclude_ids, size_t exclude_n) NODISCARD;
/* {"exclude":{"1":1}} with the ids that belong to the gateway; nothing when there are none. */
void command_exclude(struct buf *out, struct gateway_at at, const char *const *ids, size_t n);
/* {"connections":{"1":1}} without those excluded; nothing when none is left. */
void command_connections(struct buf *out, struct gateway_at at, const struct gw_send *how);
/* {"fields":["uid"],"where":[]}; fields is the inside of the list: "\"uid\"". */
void command_select(struct buf *out, const char *fields);
void command_select_client(struct buf *out, const char *fields, uint32_t connection_id);
int command_select_group(struct buf *out, const char *fields, struct gw_bytes group) NODISCARD;

/* CMD_GATEWAY_CLIENT_CONNECT, which goes before every command when there is a secret. Appended. */
void command_put_secret(struct buf *out, const char *secret);
/* The same with one more key, which PHP ignores, that offers our extensions. */
void command_put_offer(struct buf *out, const char *secret);
/* And with yet another, that asks for answers as CMD_REPLY, so that commands and queries may share
 * one link. */
void command_put_link_offer(struct buf *out, const char *secret);
enum worker_offer {
    WORKER_OFFERS_OURS = 1,     /* our extensions, likewise */
    WORKER_OFFERS_TO_JUDGE = 2, /* and to say of each handshake whether it may come in */
    WORKER_SKIPS_REQUESTS = 4,  /* it has no use for CMD_ON_WEBSOCKET_CONNECT */
    WORKER_OFFERS_TO_HEAR = 8,  /* and to hear which clients are slow */
};
/* The body of CMD_WORKER_CONNECT; appended. GW_EUTF8 when key or secret are not UTF-8. */
int command_put_worker_connect(struct buf *out, const char *worker_key, const char *secret,
                               unsigned offers) NODISCARD;

#endif
