/* The [gateway] section: its keys, and what must hold between them. */
#ifndef GATEWAY_GATEWAY_CONF_H
#define GATEWAY_GATEWAY_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/conf.h"
#include "chan/door.h"
#include "gateway/auth_conf.h"
#include "gateway/ws_conf.h"
#include "net/addr.h"
#include "net/peer_tls_conf.h"
#include "net/tls_conf.h"
#include "proc/role.h"

struct codec;

enum gateway_on_rate { ON_RATE_CLOSE, ON_RATE_DELAY };
enum gateway_router { ROUTER_LEAST, ROUTER_RANDOM };
enum gateway_on_full { ON_FULL_CLOSE, ON_FULL_DROP_NEW, ON_FULL_DROP_OLD };

struct gateway_conf {
    struct conf_list listen;
    int64_t count;
    const char *name;
    const char *user;
    const char *lan_ip;
    const char *inner_listen;
    int64_t start_port;
    struct conf_list register_address;
    const char *secret_key;
    bool is_insecure;

    uint64_t ping_interval_ms;
    int64_t ping_not_response_limit;
    const char *ping_data;
    bool has_ping_frames;

    int router;
    uint64_t send_to_client_buffer_size;
    uint64_t send_to_worker_buffer_size;
    int on_full;
    uint64_t worker_grace_ms;
    int64_t interest_max;

    uint64_t max_message_bytes;
    int64_t max_frames_per_message;
    uint64_t max_head_bytes;
    uint64_t max_session_bytes;
    uint64_t max_reply_bytes;
    uint64_t handshake_timeout_ms;
    uint64_t close_timeout_ms;
    int64_t max_connections;
    int64_t max_connections_per_address;
    int64_t max_handshakes_per_second;
    int64_t max_handshakes_per_address;
    int64_t max_groups_per_client;
    int64_t max_messages_per_second;
    int64_t message_burst;
    int on_rate;
    struct conf_list origin;
    bool has_sse;
    uint64_t sse_resume_ms;
    uint64_t sse_replay_bytes;
    struct tls_conf tls;
    struct peer_tls_conf inner_tls;
    struct door_conf door;
    struct ws_conf ws;
    struct auth_conf auth;
};

extern const struct conf_table gateway_conf_table;

int gateway_conf_count(const void *conf);
/* As role.h's check, plan and credentials. The last planned address is the inner port. */
int gateway_conf_check(const struct conf *conf, const struct conf_section *s, struct buf *errors);
int gateway_conf_plan(const struct conf *conf, const struct conf_section *s, int slot,
                      struct role_listen out[ROLE_LISTENERS_MAX], struct buf *errors);
int gateway_conf_credentials(const struct conf *conf, const struct conf_section *s, struct buf *out,
                             struct buf *errors);

/* lan_ip as a number with the slot's inner port. 0 or GW_ECONF: no such host. May ask the system's
 * resolver. */
int gateway_conf_lan(const struct gateway_conf *gc, int slot, struct addr *out) NODISCARD;
/* Largest packet on the inner port, once a peer has shown the key. */
uint64_t gateway_conf_packet_max(const struct gateway_conf *gc);
/* The codec that a listen address names. */
const struct codec *gateway_conf_codec(const char *url);

#endif
