/* The [gateway] section: its keys, and what must hold between them. */
#include "gateway/gateway_conf.h"

#include <stdio.h>
#include <string.h>

#include <gw/err.h>

#include "base/rate.h"
#include "gateway/auth.h"
#include "net/resolve.h"
#include "proc/listen.h"
#include "proto/codec.h"
#include "proto/wire.h"

#define AT(field) offsetof(struct gateway_conf, field)

static const struct conf_key keys[] = {
    {.name = "listen",
     .type = CONF_LIST,
     .offset = AT(listen),
     .meaning = "Where clients connect: websocket://, text://, tcp:// or frame:// with address and "
                "port (websocket://[::]:7272), or with the path of a unix socket "
                "(websocket:///run/chat.sock). May be repeated.",
     .is_required = true},
    {.name = "count",
     .type = CONF_INT,
     .offset = AT(count),
     .def = "1",
     .min = 1,
     .max = 256,
     .meaning = "Number of processes; they share the clients' ports."},
    {.name = "name",
     .type = CONF_STR,
     .offset = AT(name),
     .meaning = "Name in status and process titles; the section's name when unset."},
    {.name = "user",
     .type = CONF_STR,
     .offset = AT(user),
     .meaning = "User to become once the ports are bound."},
    {.name = "lan_ip",
     .type = CONF_STR,
     .offset = AT(lan_ip),
     .def = "127.0.0.1",
     .meaning = "Address of this host on which workers reach it; part of every client_id."},
    {.name = "inner_listen",
     .type = CONF_STR,
     .offset = AT(inner_listen),
     .meaning = "Address that the inner ports bind to; lan_ip when unset (all addresses when "
                "lan_ip is a public one)."},
    {.name = "start_port",
     .type = CONF_INT,
     .offset = AT(start_port),
     .def = "2300",
     .min = 1,
     .max = 65535,
     .meaning = "Inner port of the first process; the others count up from it."},
    {.name = "register_address",
     .type = CONF_LIST,
     .offset = AT(register_address),
     .def = "127.0.0.1:1236",
     .meaning = "A registry that tells workers where this gateway is. May be repeated."},
    {.name = "secret_key",
     .type = CONF_STR,
     .offset = AT(secret_key),
     .def = "",
     .meaning = "Key that registry, gateways, workers and client libraries have in common."},
    {.name = "insecure",
     .type = CONF_BOOL,
     .offset = AT(is_insecure),
     .def = "false",
     .meaning = "Allows inner ports that other hosts reach without secret_key."},
    {.name = "ping_interval",
     .type = CONF_SECONDS,
     .offset = AT(ping_interval_ms),
     .def = "25",
     .max = 86400000,
     .unit = "s",
     .meaning = "Time between two pings to a client; 0 turns the heartbeat off."},
    {.name = "ping_not_response_limit",
     .type = CONF_INT,
     .offset = AT(ping_not_response_limit),
     .def = "2",
     .max = 1000000,
     .meaning = "Pings without an answer after which a client is dropped; 0 for never."},
    {.name = "ping_data",
     .type = CONF_STR,
     .offset = AT(ping_data),
     .meaning = "Message sent as ping; then only messages count as answers."},
    {.name = "ping_frames",
     .type = CONF_BOOL,
     .offset = AT(has_ping_frames),
     .def = "true",
     .meaning = "While ping_data is unset: WebSocket clients get ping frames, which browsers "
                "answer by themselves, and others are left alone. With false nothing is sent and "
                "a client must send messages to stay."},
    {.name = "router",
     .type = CONF_ENUM,
     .offset = AT(router),
     .def = "least_connections",
     .choices = "least_connections|random",
     .meaning = "How a new client gets its worker."},
    {.name = "send_to_client_buffer_size",
     .type = CONF_SIZE,
     .offset = AT(send_to_client_buffer_size),
     .def = "1024000",
     .min = 1024,
     .max = INT64_C(1) << 32,
     .unit = "bytes",
     .meaning = "Memory that output may take while it waits for one client."},
    {.name = "on_full",
     .type = CONF_ENUM,
     .offset = AT(on_full),
     .def = "close",
     .choices = "close|drop_new|drop_old",
     .meaning = "What happens to a client whose output waits beyond that: closed with code 1013, "
                "the new message is dropped, or the oldest whole ones that still wait are."},
    {.name = "send_to_worker_buffer_size",
     .type = CONF_SIZE,
     .offset = AT(send_to_worker_buffer_size),
     .def = "10240000",
     .min = 65536,
     .max = INT64_C(1) << 32,
     .unit = "bytes",
     .meaning = "Events that may wait for one worker, and for the first worker to come; beyond, "
                "clients are not read from, and beyond twice as much no new ones are taken."},
    {.name = "worker_grace_ms",
     .type = CONF_MS,
     .offset = AT(worker_grace_ms),
     .def = "30000",
     .max = 3600000,
     .unit = "ms",
     .meaning = "How long events wait while no worker is connected, before their clients are "
                "closed with code 1013."},
    {.name = "interest_max",
     .type = CONF_INT,
     .offset = AT(interest_max),
     .def = "262144",
     .max = INT32_MAX,
     .meaning =
         "Most groups, and most uids, of one process that it tells the workers, so that they "
         "leave it out when a message is for others. With more it gets every message; 0 for "
         "always. A name costs each process that sends 8 to 16 bytes per gateway."},
    {.name = "max_message_bytes",
     .type = CONF_SIZE,
     .offset = AT(max_message_bytes),
     .def = "1m",
     .min = 1,
     .max = INT64_C(1) << 30,
     .unit = "bytes",
     .meaning = "Largest message of a client, all its fragments together."},
    {.name = "max_frames_per_message",
     .type = CONF_INT,
     .offset = AT(max_frames_per_message),
     .def = "1024",
     .min = 1,
     .max = 1000000,
     .meaning = "Most fragments of one message."},
    {.name = "max_head_bytes",
     .type = CONF_SIZE,
     .offset = AT(max_head_bytes),
     .def = "16k",
     .min = 256,
     .max = 1 << 20,
     .unit = "bytes",
     .meaning = "Largest handshake request."},
    {.name = "max_session_bytes",
     .type = CONF_SIZE,
     .offset = AT(max_session_bytes),
     .def = "1m",
     .min = 1024,
     .max = 64 << 20,
     .unit = "bytes",
     .meaning = "Largest session of one client; a larger one is refused."},
    {.name = "max_reply_bytes",
     .type = CONF_SIZE,
     .offset = AT(max_reply_bytes),
     .def = "256m",
     .min = 1 << 20,
     .max = UINT32_MAX,
     .unit = "bytes",
     .meaning = "Largest answer to a query, as all sessions of this process; there is none to a "
                "query that would get a larger one. Two such answers at most are in memory at the "
                "same time, further queries wait."},
    {.name = "handshake_timeout",
     .type = CONF_SECONDS,
     .offset = AT(handshake_timeout_ms),
     .def = "10",
     .min = 100,
     .max = 600000,
     .unit = "s",
     .meaning = "Time a client has for its handshake, and an inner peer for its key."},
    {.name = "close_timeout",
     .type = CONF_SECONDS,
     .offset = AT(close_timeout_ms),
     .def = "10",
     .min = 100,
     .max = 600000,
     .unit = "s",
     .meaning = "Time a closed connection has to take the output that still waits."},
    {.name = "max_connections",
     .type = CONF_INT,
     .offset = AT(max_connections),
     .def = "0",
     .max = INT32_MAX,
     .meaning = "Most clients of one process; 0 for as many as it has descriptors. With sse six "
                "connections for each of them may carry streams and POSTs."},
    {.name = "max_connections_per_address",
     .type = CONF_INT,
     .offset = AT(max_connections_per_address),
     .def = "0",
     .max = INT32_MAX,
     .meaning =
         "Most clients of one process from one address, of IPv6 from one /64 network; 0 for no "
         "limit. With sse six connections for each of them may carry streams and POSTs."},
    {.name = "max_handshakes_per_second",
     .type = CONF_INT,
     .offset = AT(max_handshakes_per_second),
     .def = "0",
     .max = UINT16_MAX,
     .meaning = "New connections that one process accepts in a second, a tenth of them at once. "
                "Nobody is refused: the others wait until they are accepted. 0 for no limit."},
    {.name = "max_handshakes_per_address",
     .type = CONF_INT,
     .offset = AT(max_handshakes_per_address),
     .def = "0",
     .max = UINT16_MAX,
     .meaning = "New connections that one process takes from one address, of IPv6 one /64 network, "
                "in a second on average; ten seconds' worth at once. Others are closed, or refused "
                "with 429 behind a trusted proxy. 0 for no limit."},
    {.name = "max_groups_per_client",
     .type = CONF_INT,
     .offset = AT(max_groups_per_client),
     .def = "0",
     .max = INT32_MAX,
     .meaning = "Most groups that one client may be in; a further join is ignored. 0 for no "
                "limit."},
    {.name = "max_messages_per_second",
     .type = CONF_INT,
     .offset = AT(max_messages_per_second),
     .def = "0",
     .max = UINT16_MAX - 1,
     .meaning = "Messages that one client may send in a second, on average; 0 for no limit."},
    {.name = "message_burst",
     .type = CONF_INT,
     .offset = AT(message_burst),
     .def = "0",
     .max = UINT16_MAX,
     .meaning = "Messages that a client which was silent may send at once; 0 for as many as in one "
                "second."},
    {.name = "on_rate",
     .type = CONF_ENUM,
     .offset = AT(on_rate),
     .def = "close",
     .choices = "close|delay",
     .meaning = "What happens to a client that sends faster: closed with code 1008, or not read "
                "from until it may send again."},
    {.name = "origin",
     .type = CONF_LIST,
     .offset = AT(origin),
     .meaning = "Web origin whose pages may connect (https://chat.example), or * for all. May be "
                "repeated. When unset, pages of the same host name may, on any port. Clients that "
                "send no Origin always may."},
    {.name = "sse",
     .type = CONF_BOOL,
     .offset = AT(has_sse),
     .def = "false",
     .meaning = "WebSocket listeners also take clients without WebSocket: server-sent events down, "
                "POST up (docs/fallback.md). on_connect then comes with a client's first bytes."},
    {.name = "sse_resume_time",
     .type = CONF_SECONDS,
     .offset = AT(sse_resume_ms),
     .def = "15",
     .min = 1000,
     .max = 3600000,
     .unit = "s",
     .meaning = "How long such a client may be away and go on as if nothing had happened."},
    {.name = "sse_replay_bytes",
     .type = CONF_SIZE,
     .offset = AT(sse_replay_bytes),
     .def = "64k",
     .min = 4096,
     .max = 64 << 20,
     .unit = "bytes",
     .meaning = "Events kept for each such client in case they did not arrive."},
    TLS_CONF_KEYS(struct gateway_conf, tls),
    PEER_TLS_CONF_KEYS(struct gateway_conf, inner_tls),
    DOOR_CONF_KEYS(struct gateway_conf, door),
    WS_CONF_KEYS(struct gateway_conf, ws),
    AUTH_CONF_KEYS(struct gateway_conf, auth),
};

const struct conf_table gateway_conf_table = {
    .kind = "gateway",
    .meaning = "Holds the clients' connections and carries their events to the workers.",
    .keys = keys,
    .keys_n = ARRAY_LEN(keys),
    .conf_bytes = sizeof(struct gateway_conf),
};

int gateway_conf_count(const void *conf)
{
    const struct gateway_conf *gc = conf;
    return (int)gc->count;
}

static const char *const schemes[] = {"websocket", "text", "tcp", "frame", NULL};

const struct codec *gateway_conf_codec(const char *url)
{
    struct span scheme, place;
    return addr_split_url(span_str(url), &scheme, &place) ? codec_find(scheme) : NULL;
}

int gateway_conf_lan(const struct gateway_conf *gc, int slot, struct addr *out)
{
    char text[300];
    int port = (int)gc->start_port + slot;
    int n = snprintf(text, sizeof(text), "%s:%d", gc->lan_ip, port);
    if (n < 0 || (size_t)n >= sizeof(text) || resolve_now(text, out) < 0)
        return GW_ECONF;
    return 0;
}

uint64_t gateway_conf_packet_max(const struct gateway_conf *gc)
{
    uint64_t room_for_message = gc->max_message_bytes + (UINT64_C(1) << 20);
    return room_for_message > WIRE_PACKET_MAX ? room_for_message : WIRE_PACKET_MAX;
}

/* The original binds lan_ip, or everything when lan_ip is public: a cloud host does not have its
 * public address on an interface. */
static int inner_addr(const struct gateway_conf *gc, int slot, struct addr *out)
{
    if (gc->inner_listen) {
        char text[300];
        int n = snprintf(text, sizeof(text), "%s:%d", gc->inner_listen, (int)gc->start_port + slot);
        return n > 0 && (size_t)n < sizeof(text) && addr_parse(text, out) == 0 ? 0 : GW_ECONF;
    }
    int rc = gateway_conf_lan(gc, slot, out);
    if (rc == 0 && !addr_is_private(out))
        memset(out->ip, 0, sizeof(out->ip));
    return rc;
}

static int check_inner(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct gateway_conf *gc = s->conf;
    const char *key = gc->inner_listen ? "inner_listen" : "lan_ip";
    const char *value = gc->inner_listen ? gc->inner_listen : gc->lan_ip;
    struct addr at;
    if (inner_addr(gc, 0, &at) < 0) {
        conf_complain(conf, s, key, errors,
                      "\"%s\" is not an address of this host; write for instance %s", value,
                      "127.0.0.1");
        return GW_ECONF;
    }
    if (gc->is_insecure || gc->secret_key[0] != '\0' || addr_is_loopback(&at))
        return 0;
    conf_complain(
        conf, s, key, errors,
        "other hosts could reach the inner ports on %s without a key; set secret_key here, in "
        "[registry] and in [worker], or write insecure = true to allow it",
        value);
    return GW_ECONF;
}

int gateway_conf_check(const struct conf *conf, const struct conf_section *s, struct buf *errors)
{
    const struct gateway_conf *gc = s->conf;
    int rc = 0;
    for (size_t i = 0; i < gc->listen.len; i++) {
        struct role_listen at;
        if (role_listen_parse(conf, s, "listen", gc->listen.at[i].text, schemes, &at, errors) < 0)
            rc = GW_ECONF;
    }
    if (gc->listen.len >= ROLE_LISTENERS_MAX) {
        conf_complain(conf, s, "listen", errors,
                      "at most %d addresses; use a second [gateway] section",
                      ROLE_LISTENERS_MAX - 1);
        rc = GW_ECONF;
    }
    if (gc->start_port + gc->count - 1 > UINT16_MAX) {
        conf_complain(conf, s, "start_port", errors,
                      "%d processes from %d on would pass port 65535; choose a lower one",
                      (int)gc->count, (int)gc->start_port);
        rc = GW_ECONF;
    }
    if (gc->message_burst > gc->max_messages_per_second * RATE_BURST_SECONDS_MAX &&
        gc->max_messages_per_second > 0) {
        conf_complain(conf, s, "message_burst", errors, "at most %d seconds' worth of messages",
                      RATE_BURST_SECONDS_MAX);
        rc = GW_ECONF;
    }
    /* A message that refers to one which was dropped cannot be inflated. */
    if (gc->on_full == ON_FULL_DROP_OLD && gc->ws.has_deflate && ws_conf_keeps_ours(&gc->ws)) {
        conf_complain(conf, s, "on_full", errors,
                      "drop_old needs messages that can be read without those before them: write "
                      "deflate_takeover = none or client");
        rc = GW_ECONF;
    }
    if (door_conf_check(conf, s, &gc->door, errors) < 0 ||
        ws_conf_check(conf, s, &gc->ws, errors) < 0 ||
        auth_conf_check(conf, s, &gc->auth, errors) < 0)
        rc = GW_ECONF;
    return check_inner(conf, s, errors) < 0 ? GW_ECONF : rc;
}

int gateway_conf_credentials(const struct conf *conf, const struct conf_section *s, struct buf *out,
                             struct buf *errors)
{
    const struct gateway_conf *gc = s->conf;
    int rc = tls_conf_read(conf, s, &gc->tls, out, errors);
    if (peer_tls_read(conf, s, &gc->inner_tls, out, errors) < 0)
        rc = GW_ECONF;
    return auth_read(conf, s, &gc->auth, out, errors) < 0 ? GW_ECONF : rc;
}

int gateway_conf_plan(const struct conf *conf, const struct conf_section *s, int slot,
                      struct role_listen out[ROLE_LISTENERS_MAX], struct buf *errors)
{
    const struct gateway_conf *gc = s->conf;
    int n = 0;
    for (; n < (int)gc->listen.len && n < ROLE_LISTENERS_MAX - 1; n++) {
        if (role_listen_parse(conf, s, "listen", gc->listen.at[n].text, schemes, &out[n], errors) <
            0)
            return GW_ECONF;
        out[n].is_shared = gc->count > 1 && !out[n].unix_path;
        out[n].is_public = true;
        out[n].is_tls = tls_conf_is_on(&gc->tls) && !out[n].unix_path;
    }
    struct role_listen *inner = &out[n];
    *inner = (struct role_listen){.key = "start_port"};
    if (inner_addr(gc, slot, &inner->addr) < 0) {
        conf_complain(conf, s, "lan_ip", errors, "\"%s\" is not an address of this host",
                      gc->lan_ip);
        return GW_ECONF;
    }
    char text[ADDR_TEXT_MAX];
    addr_text(&inner->addr, text);
    snprintf(inner->url, sizeof(inner->url), "wire://%s", text);
    return n + 1;
}
