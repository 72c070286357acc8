/* The Gateway API: send, close, bind, join and query by client, uid and group; in a worker and
 * outside. */
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
 * Uids and groups are byte strings of 1 to 255 bytes ("0" is as good as any); GW_EBADNAME
 * otherwise. Where names travel as JSON (gw_send_to_uid, gw_send_to_group, lists of names) they
 * must be UTF-8; GW_EUTF8 otherwise. Client ids are 20 hex digits; GW_EBADID otherwise. Sending to
 * somebody who is not there is not an error, as in the original. Without a gateway: GW_ENOGATEWAY.
 * Where several gateways are asked and some fail, the answers of the others are given and rc is
 * GW_EPARTIAL: see `failures`. */

/* ---- outside a worker ---- */

struct gw_options {
    uint32_t size;         /* sizeof(struct gw_options) */
    uint64_t timeout_ms;   /* per call, registry and all gateways together; 0: 5,000 */
    uint64_t addresses_ms; /* how long the registry's list is believed; 0: 1,000 */
    /* TLS to registries and gateways, where their inner_tls asks for it: PEM files with the CA of
     * the cluster and a certificate of it with its key, read by gw_open_with(). All NULL: plain. */
    const char *tls_ca;
    const char *tls_cert;
    const char *tls_key;
    const char *tls_name; /* what their certificates must be for; NULL: the host or address */
};
/* Registry addresses separated by commas, tried in order until one answers; names are allowed (the
 * system's resolver is not held to the deadline). secret may be NULL. Does not connect yet. NULL:
 * errno (EINVAL: unusable address, options of an unknown size, or no certificates in the files; a
 * line on stderr tells more of those). Programs that were built before the tls_… fields may pass
 * their smaller size.
 *
 * One connection per gateway is kept open between calls, and opened anew when it was closed. A call
 * ends at its deadline: gateways that have answered by then are in the result, the others are
 * failures with GW_ETIMEOUT, and rest: for one more timeout_ms they fail at once, so that a hung
 * gateway does not slow down every call.
 *
 * Threads: a handle, and what it returned, belongs to one thread at a time; different handles may
 * be used by different threads at once. After fork() the child must open a handle of its own and
 * leave the parent's alone. SIGPIPE is never raised. */
GW_API struct gw *gw_open(const char *registry, const char *secret);
GW_API struct gw *gw_open_with(const char *registry, const char *secret,
                               const struct gw_options *options);
GW_API void gw_close(struct gw *gw); /* NULL is fine; not inside a worker */

/* ---- sending: 0 or an error ---- */

/* What became of a send at one gateway. */
struct gw_delivery {
    char address[64];  /* its inner address, "127.0.0.1:2300" */
    int rc;            /* 0, or why it is not known to have got the message */
    int64_t receivers; /* clients that it queued the message for; -1: it does not count (PHP) */
};
struct gw_receipt {
    uint64_t receivers; /* of all gateways that count */
    size_t n;
    const struct gw_delivery *gateways;
};

/* Options of a send; NULL or zero-filled means none. The arrays are borrowed for the call. */
struct gw_send {
    bool is_binary; /* as a binary WebSocket message (between our parts; PHP gateways send text) */
    bool is_raw;    /* the bytes are framed already and go out untouched */
    const char *const *only_ids; /* gw_send_to_all: just these clients */
    size_t only_n;
    const char *const *exclude_ids; /* gw_send_to_all, gw_send_to_groups: not to these */
    size_t exclude_n;
    /* Not NULL: an acknowledgement is asked for, and the call waits (suspends) for it. *receipt is
     * then set to what became of the send, also when gateways failed, and freed with
     * gw_result_free(); it is NULL when nothing was sent. Without one, 0 means that the message
     * was handed to the system, as in the original. */
    const struct gw_receipt **receipt;
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
/* Closes with a close code and a reason, which a WebSocket client is told (RFC 6455 §7.4: 1000 for
 * done, 1008 for a policy, 3000 to 4999 for your own); other protocols have none, and gateways in
 * PHP say none. The reason is at most 123 bytes of UTF-8. -EINVAL: the code may not be sent or
 * the reason is too long; GW_EUTF8. */
GW_API int gw_close_client_with(struct gw *gw, const char *client_id, uint16_t code,
                                struct gw_bytes reason);
GW_API int gw_destroy_client(struct gw *gw, const char *client_id); /* at once */

/* Closes every client of the uid likewise; suspends, because it asks who they are. How many there
 * were, or an error; after GW_EPARTIAL those of the gateways that answered are closed. */
GW_API int gw_close_uid(struct gw *gw, struct gw_bytes uid, struct gw_bytes message);

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

/* Names with names: which uids are in which group, each once. */
struct gw_name_names {
    struct gw_bytes name;
    size_t n;
    const struct gw_bytes *names;
};
struct gw_name_names_list {
    size_t n;
    const struct gw_name_names *at;
    size_t failures_n;
    const struct gw_failure *failures;
};

/* Frees any of the lists above, and receipts; NULL is fine. */
GW_API void gw_result_free(const void *list);

/* 1, 0 or an error. */
GW_API int gw_is_online(struct gw *gw, const char *client_id);
GW_API int gw_is_uid_online(struct gw *gw, struct gw_bytes uid);
/* The same for many: n answers go into is_online. 0 or an error; where a gateway failed, what is
 * not known counts as false. */
GW_API int gw_are_uids_online(struct gw *gw, const struct gw_bytes *uids, size_t n,
                              bool *is_online);
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
GW_API int gw_get_all_group_uids(struct gw *gw, const struct gw_name_names_list **out);
GW_API int gw_get_all_group_uid_counts(struct gw *gw, const struct gw_name_count_list **out);

#ifdef __cplusplus
}
#endif
#endif
