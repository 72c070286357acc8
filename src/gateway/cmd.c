/* The commands of the inner port: one table from number to function. */
#include "gateway/cmd.h"

#include <inttypes.h>

#include <gw/err.h>

#include "base/log.h"
#include "gateway/state.h"

enum cmd_need {
    NEEDS_KEY,     /* the peer has shown the key */
    NEEDS_NOTHING, /* this is how it shows it */
    NEEDS_OURS,    /* the peer offered our extensions */
    NEEDS_WORKER,  /* and is a worker */
};

static const struct {
    cmd_fn *run;
    enum cmd_need need;
} commands[UINT8_MAX + 1] = {
    [CMD_WORKER_CONNECT] = {cmd_worker_connect, NEEDS_NOTHING},
    [CMD_GATEWAY_CLIENT_CONNECT] = {cmd_client_connect, NEEDS_NOTHING},

    [CMD_SEND_TO_ONE] = {cmd_send_to_one, NEEDS_KEY},
    [CMD_SEND_TO_ALL] = {cmd_send_to_all, NEEDS_KEY},
    [CMD_SEND_TO_UID] = {cmd_send_to_uid, NEEDS_KEY},
    [CMD_SEND_TO_GROUP] = {cmd_send_to_group, NEEDS_KEY},
    [CMD_KICK] = {cmd_kick, NEEDS_KEY},
    [CMD_DESTROY] = {cmd_destroy, NEEDS_KEY},

    [CMD_BIND_UID] = {cmd_bind_uid, NEEDS_KEY},
    [CMD_UNBIND_UID] = {cmd_unbind_uid, NEEDS_KEY},
    [CMD_JOIN_GROUP] = {cmd_join_group, NEEDS_KEY},
    [CMD_LEAVE_GROUP] = {cmd_leave_group, NEEDS_KEY},
    [CMD_UNGROUP] = {cmd_ungroup, NEEDS_KEY},

    [CMD_SET_SESSION] = {cmd_set_session, NEEDS_KEY},
    [CMD_UPDATE_SESSION] = {cmd_update_session, NEEDS_KEY},
    [CMD_GET_SESSION_BY_CLIENT_ID] = {cmd_get_session, NEEDS_KEY},

    [CMD_IS_ONLINE] = {cmd_is_online, NEEDS_KEY},
    [CMD_GET_ALL_CLIENT_SESSIONS] = {cmd_all_sessions, NEEDS_KEY},
    [CMD_GET_CLIENT_SESSIONS_BY_GROUP] = {cmd_group_sessions, NEEDS_KEY},
    [CMD_GET_CLIENT_COUNT_BY_GROUP] = {cmd_group_count, NEEDS_KEY},
    [CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP] = {cmd_group_counts, NEEDS_KEY},
    [CMD_GET_CLIENT_ID_BY_UID] = {cmd_uid_clients, NEEDS_KEY},
    [CMD_BATCH_GET_CLIENT_ID_BY_UID] = {cmd_uids_clients, NEEDS_KEY},
    [CMD_GET_GROUP_ID_LIST] = {cmd_group_ids, NEEDS_KEY},
    [CMD_SELECT] = {cmd_select, NEEDS_KEY},

    [CMD_RECEIPT] = {cmd_receipt, NEEDS_OURS},
    [CMD_PING] = {cmd_ping, NEEDS_OURS},

    [CMD_DRAIN] = {cmd_drain, NEEDS_WORKER},
    [CMD_DRAINED] = {cmd_drained, NEEDS_WORKER},
    [CMD_RELEASE] = {cmd_release, NEEDS_WORKER},
    [CMD_DONE] = {cmd_done, NEEDS_WORKER},
    [CMD_JUDGE] = {cmd_judge, NEEDS_WORKER},
    [CMD_FINISHED] = {cmd_finished, NEEDS_WORKER},
};

void cmd_ignored(const struct peer *from, const struct wire_packet *p, const char *why)
{
    static struct log_rate rate;
    char peer[ADDR_TEXT_MAX];
    addr_text(conn_peer(from->conn), peer);
    log_limited(&rate, LOG_WARN, "command %d (%s) for connection %" PRIu32 " from %s ignored: %s",
                p->cmd, wire_cmd_name(p->cmd), p->connection_id, peer, why);
}

int cmd_run(struct gateway *g, struct peer *from, const struct wire_packet *p)
{
    cmd_fn *run = commands[p->cmd].run;
    enum cmd_need need = commands[p->cmd].need;
    if (!from->is_authorized && (!run || need != NEEDS_NOTHING))
        return GW_EAUTH;
    if (!run || (need >= NEEDS_OURS && !from->speaks_ours) ||
        (need == NEEDS_WORKER && !from->worker)) {
        cmd_ignored(from, p, "not a command of a gateway");
        return 0;
    }
    return run(g, from, p);
}
