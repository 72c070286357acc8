/* The Gateway API: send, close, bind, join and query by client, uid and group; in a worker and outside. */
#ifndef GW_GATEWAY_H
#define GW_GATEWAY_H

#include <gw/err.h>
#include <gw/json.h>
#include <gw/session.h>
#include <gw/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The operations of GatewayClient (PHP) in snake case. The same calls serve
 *   - inside a worker: over its open connections. Sends leave at the end of the turn, in order, and
 *     suspend only while a gateway has send_to_gateway_buffer_size bytes waiting for it. Calls
 *     marked "suspends" wait for answers. Other clients are served meanwhile;
 *   - outside, after gw_open(): blocking, each call with the handle's deadline.
 *
 * Uids and groups are byte strings of 1 to 255 bytes ("0" is as good as any); GW_EBADNAME otherwise.
 * Where names travel as JSON (gw_send_to_uid, gw_send_to_group, lists of names) they must be UTF-8;
 * GW_EUTF8 otherwise.
 * Client ids are 20 hex digits; GW_EBADID otherwise. Sending to somebody who is not there is not an
 * error, as in the original. Without a gateway: GW_ENOGATEWAY. Where several gateways are asked and
 * some fail, the answers of the others are given and rc is GW_EPARTIAL: see `failures`. */

/* ---- outside a worker ---- */

struct gw_options {
    uint32_t size;           /* sizeof(struct gw_options) */
    uint64_t timeout_ms;     /* per call, all gateways together; 0: 5,000 */
    uint64_t addresses_ms;   /* how long the registry's list is believed; 0: 1,000 */
};
/* Registry addresses separated by commas, tried in order until one answers; names are allowed. secret may be NULL. Does
 * not connect yet. NULL: errno (EINVAL: unusable address). Not for use by two threads at once. */
GW_API struct gw *gw_open(const char *registry, const char *secret);
GW_API struct gw *gw_open_with(const char *registry, const char *secret,
                               const struct gw_options *options);
GW_API void gw_close(struct gw *gw); /* NULL is fine; not inside a worker */

/* ---- sending: 0 or an error ---- */

/* Options of a send; NULL or zero-filled means none. The arrays are borrowed for the call. */
struct gw_send {
    bool is_binary; /* as a binary WebSocket message (between our parts; PHP gateways send text) */
    bool is_raw;    /* the bytes are framed already and go out untouched */
    const char *const *only_ids; /* gw_send_to_all: just these clients */
    size_t only_n;
    const char *const *exclude_ids; /* gw_send_to_all, gw_send_to_groups: not to these */
    size_t exclude_n;
};

GW_API int gw_send_to_client(struct gw *gw, const char *client_id, struct gw_bytes message);
GW_API int gw_send_to_client_with(struct gw *gw, const char *client_id, struct gw_bytes message,
                                  const struct gw_send *how);
GW_API int gw_send_to_all(struct gw *gw, struct gw_bytes message, const struct gw_send *how);
GW_API int gw_send_to_uid(struct gw *gw, struct gw_bytes uid, struct gw_bytes message);
GW_API int gw_send_to_uids(struct gw *gw, const struct gw_bytes *uids, size_t n,
                           struct gw_bytes message, const struct gw_send *how);
GW_API int gw_send_to_group(struct gw *gw, struct gw_bytes group, struct gw_bytes message);
GW_API int gw_send_to_groups(struct gw *gw, const struct gw_bytes *groups, size_t n,
                             struct gw_bytes message, const struct gw_send *how);

/* Closes after what is queued was sent; with a message (data not NULL) that one comes last. */
GW_API int gw_close_client(struct gw *gw, const char *client_id, struct gw_bytes message);
GW_API int gw_destroy_client(struct gw *gw, const char *client_id); /* at once */

GW_API int gw_bind_uid(struct gw *gw, const char *client_id, struct gw_bytes uid);
GW_API int gw_unbind_uid(struct gw *gw, const char *client_id);
GW_API int gw_join_group(struct gw *gw, const char *client_id, struct gw_bytes group);
GW_API int gw_leave_group(struct gw *gw, const char *client_id, struct gw_bytes group);
GW_API int gw_ungroup(struct gw *gw, struct gw_bytes group); /* everybody leaves it */

/* Sessions of any client, as JSON objects: replace, or merge (array_replace_recursive). For the
 * current client of a callback use client->session. GW_EPROTO: not a JSON object. */
GW_API int gw_set_session(struct gw *gw, const char *client_id, const char *json);
GW_API int gw_update_session(struct gw *gw, const char *client_id, const char *json);

/* ---- asking: all suspend; results are freed with the one gw_result_free() ---- */

/* A gateway that did not answer. */
struct gw_failure {
    char address[64]; /* its inner address, "127.0.0.1:2300" */
    int rc;
};

struct gw_client_entry {
    char id[GW_CLIENT_ID_LEN + 1];
    const struct gw_session *session; /* NULL when the call does not fetch sessions */
};
struct gw_client_list {
    size_t n;
    const struct gw_client_entry *clients;
    size_t failures_n;
    const struct gw_failure *failures;
};

struct gw_name_list { /* uids or groups */
    size_t n;
    const struct gw_bytes *names; /* each also NUL-terminated behind len */
    size_t failures_n;
    const struct gw_failure *failures;
};

/* Names with clients: who is in which group, which clients a uid has. */
struct gw_name_clients {
    struct gw_bytes name;
    size_t n;
    const char (*client_ids)[GW_CLIENT_ID_LEN + 1];
};
struct gw_name_clients_list {
    size_t n;
    const struct gw_name_clients *at;
    size_t failures_n;
    const struct gw_failure *failures;
};

struct gw_name_count {
    struct gw_bytes name;
    uint64_t count;
};
struct gw_name_count_list {
    size_t n;
    const struct gw_name_count *at;
    size_t failures_n;
    const struct gw_failure *failures;
};

/* Frees any of the lists above; NULL is fine. */
GW_API void gw_result_free(const void *list);

/* 1, 0 or an error. */
GW_API int gw_is_online(struct gw *gw, const char *client_id);
GW_API int gw_is_uid_online(struct gw *gw, struct gw_bytes uid);
/* A read-only session, freed with gw_session_free(); NULL with *rc: 0 no such client. */
GW_API struct gw_session *gw_get_session(struct gw *gw, const char *client_id, int *rc);
GW_API void gw_session_free(struct gw_session *s);

/* Counts: >= 0 or an error. */
GW_API int64_t gw_get_all_client_count(struct gw *gw);
GW_API int64_t gw_get_client_count_by_group(struct gw *gw, struct gw_bytes group);
GW_API int64_t gw_get_uid_count_by_group(struct gw *gw, struct gw_bytes group);
GW_API int64_t gw_get_all_uid_count(struct gw *gw);

/* Lists: 0 or GW_EPARTIAL with *out set, else an error with *out NULL. */
GW_API int gw_get_all_client_sessions(struct gw *gw, const struct gw_client_list **out);
GW_API int gw_get_client_sessions_by_group(struct gw *gw, struct gw_bytes group,
                                           const struct gw_client_list **out);
GW_API int gw_get_all_client_ids(struct gw *gw, const struct gw_client_list **out);
GW_API int gw_get_client_ids_by_group(struct gw *gw, struct gw_bytes group,
                                      const struct gw_client_list **out);
GW_API int gw_get_client_ids_by_uid(struct gw *gw, struct gw_bytes uid,
                                    const struct gw_client_list **out);
GW_API int gw_get_client_ids_by_uids(struct gw *gw, const struct gw_bytes *uids, size_t n,
                                     const struct gw_name_clients_list **out);
GW_API int gw_get_client_counts_by_groups(struct gw *gw, const struct gw_bytes *groups, size_t n,
                                          const struct gw_name_count_list **out);
GW_API int gw_get_all_groups(struct gw *gw, const struct gw_name_list **out);
GW_API int gw_get_all_uids(struct gw *gw, const struct gw_name_list **out);
GW_API int gw_get_uids_by_group(struct gw *gw, struct gw_bytes group,
                                const struct gw_name_list **out);
GW_API int gw_get_groups_by_client(struct gw *gw, const char *client_id,
                                   const struct gw_name_list **out);
/* The uid of a client, NUL-terminated, freed with gw_free(); NULL with *rc: 0 it has none. */
GW_API char *gw_get_uid_by_client(struct gw *gw, const char *client_id, int *rc);
GW_API int gw_get_all_group_client_ids(struct gw *gw, const struct gw_name_clients_list **out);
GW_API int gw_get_all_group_client_counts(struct gw *gw, const struct gw_name_count_list **out);

#ifdef __cplusplus
}
#endif
#endif
