/* The commands of the inner port: one table from number to function. */
#ifndef GATEWAY_CMD_H
#define GATEWAY_CMD_H

#include "base/compiler.h"
#include "proto/wire.h"

struct gateway;
struct peer;

enum { CMD_LATER = 1 };

/* Runs the packet. 0; CMD_LATER: nothing has happened, the same packet comes again; or < 0: the
 * peer must be closed. A large command goes on in later turns (gateway/job.h): then the peer has a
 * job. Commands that nobody knows, and those that make the original die, are ignored with a log
 * line. */
int cmd_run(struct gateway *g, struct peer *from, const struct wire_packet *p) NODISCARD;

/* A handler: cmd_NOUN.c has those of one kind. Results as cmd_run(). */
typedef int cmd_fn(struct gateway *g, struct peer *from, const struct wire_packet *p);

/* cmd_link.c: who the peer is, and the hand-over of clients */
cmd_fn cmd_worker_connect, cmd_client_connect, cmd_drain, cmd_drained, cmd_release, cmd_done,
    cmd_judge, cmd_finished, cmd_ping;
/* cmd_send.c */
cmd_fn cmd_send_to_one, cmd_send_to_all, cmd_send_to_uid, cmd_send_to_group, cmd_receipt, cmd_kick,
    cmd_destroy;
/* cmd_group.c */
cmd_fn cmd_bind_uid, cmd_unbind_uid, cmd_join_group, cmd_leave_group, cmd_ungroup;
/* cmd_session.c */
cmd_fn cmd_set_session, cmd_update_session, cmd_get_session;
/* cmd_query.c */
cmd_fn cmd_is_online, cmd_all_sessions, cmd_group_sessions, cmd_group_count, cmd_uid_clients,
    cmd_group_ids;
/* cmd_batch.c */
cmd_fn cmd_group_counts, cmd_uids_clients;
/* cmd_select.c */
cmd_fn cmd_select;

/* For handlers: logs, at a limited rate, that the packet is ignored and why. */
void cmd_ignored(const struct peer *from, const struct wire_packet *p, const char *why);

#endif
