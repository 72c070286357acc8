/* Answers of gateways, as PHP serializes them, turned into the typed lists of <gw/gateway.h>. */
#ifndef CLIENT_REPLY_H
#define CLIENT_REPLY_H

#include <gw/gateway.h>

#include "base/compiler.h"
#include "client/fanout.h"

/* Each takes the answers of a query (their order is that of the gateways), skips those that
 * failed, and returns a list for gw_result_free(). An answer of another shape becomes a failure. */

/* {connection_id: …}: its keys; is_listed: [connection_id, …]: its values. */
const struct gw_client_list *reply_client_ids(struct fanout *f, bool is_listed) NODISCARD;
/* {connection_id: serialized session}. Of the client `current` (NULL: none) the session is the one
 * at hand, which the gateway may not have yet. */
const struct gw_client_list *reply_sessions(struct fanout *f, const char *current,
                                            struct span current_raw) NODISCARD;
/* [group, …] of CMD_GET_GROUP_ID_LIST, joined over the gateways. */
const struct gw_name_list *reply_groups(struct fanout *f) NODISCARD;
/* The uids in {connection_id: {uid}} of CMD_SELECT, joined. */
const struct gw_name_list *reply_uids(struct fanout *f) NODISCARD;
/* The groups in {connection_id: {groups}} of CMD_SELECT, joined. */
const struct gw_name_list *reply_client_groups(struct fanout *f) NODISCARD;
/* {uid: [connection_id, …]} of CMD_BATCH_GET_CLIENT_ID_BY_UID. */
const struct gw_name_clients_list *reply_clients_by_name(struct fanout *f) NODISCARD;
/* {group: count} of CMD_BATCH_GET_CLIENT_COUNT_BY_GROUP. */
const struct gw_name_count_list *reply_counts_by_name(struct fanout *f) NODISCARD;
/* {connection_id: {groups}} of CMD_SELECT, turned round: who is in which group, or how many. */
const struct gw_name_clients_list *reply_group_clients(struct fanout *f) NODISCARD;
const struct gw_name_count_list *reply_group_counts(struct fanout *f) NODISCARD;
/* {connection_id: {uid, groups}} of CMD_SELECT: which uids are in which group, each once. */
const struct gw_name_names_list *reply_group_uids(struct fanout *f) NODISCARD;
const struct gw_name_count_list *reply_group_uid_counts(struct fanout *f) NODISCARD;

#endif
