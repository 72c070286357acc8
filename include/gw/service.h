/* A service: callbacks on connections of its own, in the process that accepts them. */
#ifndef GW_SERVICE_H
#define GW_SERVICE_H

#include <gw/err.h>
#include <gw/types.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { GW_SERVICE_ABI = 1 };

/* One connection, accepted or dialled; for UDP one datagram and whoever sent it. Valid until its
 * on_close has returned (a datagram: until its on_message has). */
struct gw_conn;
struct gw_http; /* <gw/http.h> */

/* Why a connection ended. code: of WebSocket's goodbye as the peer sent it, 1005 without one, 1006
 * when the connection broke off; other protocols: 1000 after a regular end, else 1006. */
struct gw_goodbye {
    uint16_t code;
    int why; /* 0: closed from here; GW_ECLOSED: by the peer; else the error */
};

/* What happens on a connection. The events of one connection come in order and never overlap;
 * while one of its callbacks waits nothing more is read from it, so a slow callback slows its peer
 * down and nobody else. Each callback runs on a coroutine and may suspend. Any may be NULL. */
struct gw_conn_events {
    void (*on_message)(struct gw *gw, struct gw_conn *conn, struct gw_bytes message);
    void (*on_close)(struct gw *gw, struct gw_conn *conn, struct gw_goodbye goodbye); /* last */
    /* More than send_buffer_size waits to be sent: gw_conn_send() answers GW_EFULL from now on. */
    void (*on_buffer_full)(struct gw *gw, struct gw_conn *conn);
    void (*on_buffer_drain)(struct gw *gw, struct gw_conn *conn); /* all of it is out again */
};

/* A protocol of the module's own, for listeners and gw_dial() addresses of scheme tcp. None of
 * these may suspend. */
struct gw_codec {
    size_t state_bytes; /* per connection, zero-filled at its begin */
    /* Looks at the bytes received and not yet used. Returns how many are used up; *is_message tells
     * that they end a message, which is then in *message: bytes of the input or of the state, valid
     * until the next call. 0: more bytes are needed. Below 0, for instance GW_EPROTO: the peer broke
     * the protocol, and the connection is closed. No more than max_message_bytes may stay unused. */
    long (*decode)(void *state, const char *at, size_t len, struct gw_bytes *message,
                   bool *is_message);
    /* The most that encode() writes for a payload of that length. */
    size_t (*encoded_max)(size_t payload_len);
    /* Writes the framed payload; returns its length. */
    size_t (*encode)(char *to, struct gw_bytes payload);
};

struct gw_service_module {
    uint32_t abi; /* GW_SERVICE_ABI */
    const char *name;
    const struct gw_codec *codec; /* NULL: what the address says */
    void (*on_start)(struct gw *gw); /* before the first connection; may suspend */
    void (*on_stop)(struct gw *gw);  /* after the last; may suspend */
    /* Somebody connected; before any handshake of WebSocket. */
    void (*on_connect)(struct gw *gw, struct gw_conn *conn);
    /* WebSocket: the handshake, before it is answered (as long as the callback does not suspend);
     * gw_conn_refuse() turns it down. */
    void (*on_websocket_connect)(struct gw *gw, struct gw_conn *conn, const struct gw_http *request);
    /* http: a whole request. Its answer must be complete, or be a stream of events, when the
     * callback returns: <gw/http.h>. */
    void (*on_request)(struct gw *gw, struct gw_conn *conn, struct gw_http *request);
    void (*on_message)(struct gw *gw, struct gw_conn *conn, struct gw_bytes message);
    void (*on_close)(struct gw *gw, struct gw_conn *conn, struct gw_goodbye goodbye);
    void (*on_buffer_full)(struct gw *gw, struct gw_conn *conn);
    void (*on_buffer_drain)(struct gw *gw, struct gw_conn *conn);
};

/* A service defines exactly one symbol: const struct gw_service_module gw_service_module = { … };
 * gw_worker_id(), gw_worker_name(), gw_option(), gw_log() of <gw/module.h>, the calls of
 * <gw/timer.h> and <gw/store.h>, and with register_address in the section those of <gw/gateway.h>
 * serve here too. */
extern GW_API const struct gw_service_module gw_service_module;

/* Frames and queues a message (copied). 0, GW_ECLOSED, or GW_EFULL with nothing queued. WebSocket
 * sends text. UDP answers the sender. Never suspends. */
GW_API int gw_conn_send(struct gw_conn *conn, struct gw_bytes message);
GW_API int gw_conn_send_binary(struct gw_conn *conn, struct gw_bytes message);
/* Bytes as they are, without framing. */
GW_API int gw_conn_send_raw(struct gw_conn *conn, struct gw_bytes bytes);
/* Suspends until all that was queued has left. 0, GW_ECLOSED, GW_ECONTEXT (not in a callback, or
 * another one waits for this connection already). */
GW_API int gw_conn_flush(struct gw_conn *conn);
/* Sends what is queued, then closes. WebSocket says goodbye with code and reason; code 0: without
 * a word. Twice is fine. */
GW_API void gw_conn_close(struct gw_conn *conn, uint16_t code, const char *reason);
GW_API void gw_conn_destroy(struct gw_conn *conn); /* at once, dropping what is queued */
/* In on_websocket_connect, before anything suspends: answers with that HTTP status. 0 or
 * GW_ECONTEXT. */
GW_API int gw_conn_refuse(struct gw_conn *conn, int http_status, const char *text);
/* Stops and goes on reading; pausing twice is pausing once. */
GW_API void gw_conn_pause(struct gw_conn *conn);
GW_API void gw_conn_resume(struct gw_conn *conn);

GW_API uint64_t gw_conn_id(const struct gw_conn *conn);     /* unique within its process */
GW_API uint64_t gw_conn_queued(const struct gw_conn *conn); /* bytes not yet sent */
GW_API bool gw_conn_is_open(const struct gw_conn *conn);
GW_API bool gw_conn_is_binary(const struct gw_conn *conn); /* the message in hand (WebSocket) */
GW_API const char *gw_conn_ip(const struct gw_conn *conn); /* of the peer; "" for unix sockets */
GW_API uint16_t gw_conn_port(const struct gw_conn *conn);
GW_API void gw_conn_set_data(struct gw_conn *conn, void *data); /* anything of the module's own */
GW_API void *gw_conn_data(const struct gw_conn *conn);

/* Connections that this process accepted. NULL when there is none of that id any more. */
GW_API struct gw_conn *gw_conn_find(struct gw *gw, uint64_t id);
GW_API size_t gw_conn_count(struct gw *gw);
/* Calls each(conn, arg) for every one of them; `each` may send and close, but not suspend. */
GW_API void gw_conn_each(struct gw *gw, void (*each)(struct gw_conn *conn, void *arg), void *arg);

struct gw_dial {
    /* NULL: messages are read by gw_conn_read(), and the connection is valid until gw_conn_close().
     * Otherwise borrowed until on_close. */
    const struct gw_conn_events *events;
    void *data;
    uint64_t timeout_ms; /* connecting and handshakes; 0: 10 s */
    bool is_insecure;    /* …s:// without looking at the other side's certificate */
};

/* Connects to "tcp://host:port", "text://…", "frame://…" or "websocket://host:port/path?query";
 * suspends until messages can be sent. An s behind the scheme (wss:// too) is TLS. `how` may be
 * NULL. 0, GW_ECONTEXT outside a callback, GW_ETIMEOUT, GW_EREFUSED (the handshake), -EINVAL (the
 * address) or another error. Services only. */
GW_API int gw_dial(struct gw *gw, const char *url, const struct gw_dial *how,
                   struct gw_conn **out);
/* The next message of a dialled connection without events; suspends. Valid until the next call.
 * 0, GW_ECLOSED after the last one, or what broke the connection. */
GW_API int gw_conn_read(struct gw_conn *conn, struct gw_bytes *message);

#ifdef __cplusplus
}
#endif
#endif
