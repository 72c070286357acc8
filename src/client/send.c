/* The sending half of <gw/gateway.h>: one small function per operation, over the io table. */
#include <errno.h>

#include <gw/gateway.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "client/command.h"
#include "client/deliver.h"
#include "client/io.h"
#include "client/session.h"
#include "proto/phpser.h"
#include "proto/ws.h"

enum { REASON_MAX = 123 }; /* RFC 6455 §5.5: what a close frame has room for behind the code */

/* ---- to one client ---- */

static int send_to(struct gw *gw, const char *client_id, const struct wire_packet *p)
{
    struct delivery d = {.packet = *p};

    return deliver_to_client(gw, client_id, &d);
}

static uint8_t flags_of(const struct gw_send *how)
{
    return (uint8_t)(WIRE_SCALAR | (how && how->is_raw ? WIRE_RAW : 0) |
                     (how && how->is_binary ? WIRE_BINARY : 0));
}

static struct delivery message_of(uint8_t cmd, struct gw_bytes message, const struct gw_send *how)
{
    struct delivery d = {.packet = command_of(cmd), .how = how};

    d.packet.flag = flags_of(how);
    d.packet.body = span_of(message.data, message.len);
    return d;
}

int gw_send_to_client_with(struct gw *gw, const char *client_id, struct gw_bytes message,
                           const struct gw_send *how)
{
    struct delivery d = message_of(CMD_SEND_TO_ONE, message, how);

    return deliver_to_client(gw, client_id, &d);
}

int gw_send_to_client(struct gw *gw, const char *client_id, struct gw_bytes message)
{
    return gw_send_to_client_with(gw, client_id, message, NULL);
}

/* Without a message the body is a serialized null, which closes without sending (vectors/README.md,
 * Traps: CMD_KICK). */
int gw_close_client(struct gw *gw, const char *client_id, struct gw_bytes message)
{
    struct wire_packet p = command_of(CMD_KICK);

    if (message.data)
        p.body = span_of(message.data, message.len);
    else {
        p.flag = 0;
        p.body = span_str("N;");
    }
    return send_to(gw, client_id, &p);
}

/* As gw_close_client() without a message; what the client is told lies in ext_data, where the
 * original does not look (docs/wire.md §3). */
int gw_close_client_with(struct gw *gw, const char *client_id, uint16_t code,
                         struct gw_bytes reason)
{
    struct wire_packet p = command_of(CMD_KICK);
    uint8_t ext[2 + REASON_MAX];

    if (!ws_is_close_code(code) || reason.len > REASON_MAX)
        return -EINVAL;
    if (!utf8_is_valid(span_of(reason.data, reason.len)))
        return GW_EUTF8;
    put_u16be(ext, code);
    if (reason.len > 0)
        memcpy(ext + 2, reason.data, reason.len);
    p.flag = 0;
    p.ext = span_of(ext, 2 + reason.len);
    p.body = span_str("N;");
    return send_to(gw, client_id, &p);
}

int gw_destroy_client(struct gw *gw, const char *client_id)
{
    struct wire_packet p = command_of(CMD_DESTROY);

    return send_to(gw, client_id, &p);
}

static int send_name(struct gw *gw, uint8_t cmd, const char *client_id, struct gw_bytes name)
{
    struct wire_packet p = command_of(cmd);
    int rc = command_check_name(name);

    if (rc < 0)
        return rc;
    p.ext = span_of(name.data, name.len);
    return send_to(gw, client_id, &p);
}

int gw_bind_uid(struct gw *gw, const char *client_id, struct gw_bytes uid)
{
    return send_name(gw, CMD_BIND_UID, client_id, uid);
}

/* The original sends the uid along, but no gateway looks at it. */
int gw_unbind_uid(struct gw *gw, const char *client_id)
{
    struct wire_packet p = command_of(CMD_UNBIND_UID);

    return send_to(gw, client_id, &p);
}

int gw_join_group(struct gw *gw, const char *client_id, struct gw_bytes group)
{
    return send_name(gw, CMD_JOIN_GROUP, client_id, group);
}

int gw_leave_group(struct gw *gw, const char *client_id, struct gw_bytes group)
{
    return send_name(gw, CMD_LEAVE_GROUP, client_id, group);
}

/* ---- sessions ---- */

static bool is_object(struct span json)
{
    struct span text = span_trim(json);

    return text.len > 0 && text.at[0] == '{';
}

static int send_session(struct gw *gw, uint8_t cmd, const char *client_id, const char *json)
{
    struct wire_packet p = command_of(cmd);
    struct client_id id;

    if (!client_id || client_id_parse(span_str(client_id), &id) < 0)
        return GW_EBADID;
    struct php_doc *doc = php_doc_new();
    const struct php_value *map =
        json && is_object(span_str(json)) ? php_read_json(doc, span_str(json)) : NULL;
    int rc = GW_EPROTO;
    if (map) {
        struct gw_session *current =
            gw->io->current_session ? gw->io->current_session(gw, id) : NULL;
        if (current)
            session_replace(current->values, map, cmd == CMD_UPDATE_SESSION);
        buf_clear(&gw->ext);
        php_write(map, &gw->ext);
        p.ext = buf_span(&gw->ext);
        rc = send_to(gw, client_id, &p);
    }
    php_doc_free(doc);
    return rc;
}

int gw_set_session(struct gw *gw, const char *client_id, const char *json)
{
    return send_session(gw, CMD_SET_SESSION, client_id, json);
}

int gw_update_session(struct gw *gw, const char *client_id, const char *json)
{
    return send_session(gw, CMD_UPDATE_SESSION, client_id, json);
}

/* ---- to every gateway ---- */

/* Nothing was sent: neither is there a receipt. */
static int without_receipt(const struct gw_send *how, int rc)
{
    if (how && how->receipt)
        *how->receipt = NULL;
    return rc;
}

static bool fit_exclude(struct gw *gw, struct gateway_at at, const void *ctx)
{
    const struct gw_send *how = ctx;

    command_exclude(&gw->ext, at, how->exclude_ids, how->exclude_n);
    return true;
}

static bool fit_connections(struct gw *gw, struct gateway_at at, const void *ctx)
{
    command_connections(&gw->ext, at, ctx);
    return gw->ext.len > 0;
}

int gw_send_to_all(struct gw *gw, struct gw_bytes message, const struct gw_send *how)
{
    struct delivery d = message_of(CMD_SEND_TO_ALL, message, how);

    d.fit = how && how->only_ids ? fit_connections : how ? fit_exclude : NULL;
    d.ctx = how;
    return deliver_to_all(gw, &d);
}

int gw_send_to_uids(struct gw *gw, const struct gw_bytes *uids, size_t n, struct gw_bytes message,
                    const struct gw_send *how)
{
    struct delivery d = message_of(CMD_SEND_TO_UID, message, how);
    struct reach reach = {.kind = INTEREST_UIDS, .names = uids, .n = n};
    int rc = command_names(&gw->ext, uids, n);

    if (rc < 0 || n == 0)
        return without_receipt(how, rc);
    d.packet.ext = buf_span(&gw->ext);
    d.reach = &reach;
    return deliver_to_all(gw, &d);
}

int gw_send_to_uid(struct gw *gw, struct gw_bytes uid, struct gw_bytes message)
{
    return gw_send_to_uids(gw, &uid, 1, message, NULL);
}

struct groups {
    const struct gw_bytes *names;
    size_t n;
    const struct gw_send *how;
};

static bool fit_groups(struct gw *gw, struct gateway_at at, const void *ctx)
{
    const struct groups *g = ctx;

    return command_group(&gw->ext, g->names, g->n, at, g->how->exclude_ids, g->how->exclude_n) == 0;
}

int gw_send_to_groups(struct gw *gw, const struct gw_bytes *groups, size_t n,
                      struct gw_bytes message, const struct gw_send *how)
{
    struct delivery d = message_of(CMD_SEND_TO_GROUP, message, how);
    struct groups fitted = {.names = groups, .n = n, .how = how};
    struct reach reach = {.kind = INTEREST_GROUPS, .names = groups, .n = n};
    int rc = command_group(&gw->ext, groups, n, (struct gateway_at){0}, NULL, 0);

    if (rc < 0 || n == 0)
        return without_receipt(how, rc);
    d.packet.ext = buf_span(&gw->ext); /* for every gateway, unless somebody is excluded */
    d.fit = how && how->exclude_n > 0 ? fit_groups : NULL;
    d.ctx = &fitted;
    d.reach = &reach;
    return deliver_to_all(gw, &d);
}

int gw_send_to_group(struct gw *gw, struct gw_bytes group, struct gw_bytes message)
{
    return gw_send_to_groups(gw, &group, 1, message, NULL);
}

int gw_ungroup(struct gw *gw, struct gw_bytes group)
{
    struct reach reach = {.kind = INTEREST_GROUPS, .names = &group, .n = 1};
    struct delivery d = {.packet = command_of(CMD_UNGROUP), .reach = &reach};
    int rc = command_check_name(group);

    if (rc < 0)
        return rc;
    d.packet.ext = span_of(group.data, group.len);
    return deliver_to_all(gw, &d);
}
