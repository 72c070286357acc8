/* A business module: the callbacks that a worker runs, in one file, as Events.php did. */
#ifndef GW_MODULE_H
#define GW_MODULE_H

#include <gw/err.h>
#include <gw/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A server takes modules of its own number only. It changes with struct gw_module and with every
 * struct that modules fill in, like struct gw_send. struct gw_client may grow at its end. */
enum { GW_MODULE_ABI = 3 };

/* The client an event is about. Borrowed: valid until the callback returns, also across calls that
 * suspend. Copy id (20 hex digits and a NUL) to remember a client. */
struct gw_client {
    char id[GW_CLIENT_ID_LEN + 1];
    const char *ip;         /* of the client, as text ($_SERVER['REMOTE_ADDR']) */
    const char *gateway_ip; /* of the gateway's inner port ($_SERVER['GATEWAY_ADDR']) */
    uint16_t port;
    uint16_t gateway_port;      /* where the client connected to ($_SERVER['GATEWAY_PORT']) */
    bool is_binary;             /* on_message: the WebSocket message was binary */
    struct gw_session *session; /* its values: <gw/session.h> */
    /* on_close: how it said goodbye, RFC 6455 §7.1.5: 1005 without a code, 1006 not at all (also:
     * we closed it, its protocol has no goodbye, or the gateway is not ours). */
    uint16_t close_code;
    struct gw_bytes close_reason; /* UTF-8, mostly empty */
};

/* The WebSocket handshake of a client. All texts are borrowed, NUL-terminated, NULL when absent.
 * None of these calls suspends. */
struct gw_request;
GW_API const char *gw_request_path(const struct gw_request *r);  /* "/chat", without the query */
GW_API const char *gw_request_query(const struct gw_request *r); /* "token=x&a=b", "" without one */
GW_API const char *gw_request_get(const struct gw_request *r, const char *name);    /* decoded */
GW_API const char *gw_request_header(const struct gw_request *r, const char *name); /* any case */
GW_API const char *gw_request_cookie(const struct gw_request *r, const char *name); /* as sent */
/* $_SERVER as the original fills it: "REQUEST_METHOD", "SERVER_NAME", "HTTP_ORIGIN"… */
GW_API const char *gw_request_server(const struct gw_request *r, const char *name);

/* The subprotocol that was agreed on (`subprotocol` of the gateway, gw_answer_subprotocol()). */
GW_API const char *gw_request_subprotocol(const struct gw_request *r);

/* What on_handshake answers: yes, unless it refuses. None of these calls suspends. */
struct gw_answer;
/* With an HTTP status from 400 to 599 and a text that says why. */
GW_API void gw_answer_refuse(struct gw_answer *a, int status, const char *text);
/* One more header line of the yes. -EINVAL for a name or value that cannot be one. */
GW_API int gw_answer_header(struct gw_answer *a, const char *name, const char *value);
/* One of those that the client has asked for, else -EINVAL. Where the gateway's config has
 * `subprotocol` lines, those decide. */
GW_API int gw_answer_subprotocol(struct gw_answer *a, const char *name);

/* Every callback runs on a coroutine of its own with 256 KiB of stack (worker.stack_bytes). Calls
 * marked "suspends" let the worker serve other clients meanwhile. The events of one client never
 * overlap and come in order; those of different clients may interleave at every suspension. Any
 * callback may be NULL.
 *
 * A crash in a callback ends the worker process: it is restarted and its clients move on. */
struct gw_module {
    uint32_t abi; /* GW_MODULE_ABI */
    const char *name;
    void (*on_start)(struct gw *gw); /* before the first event; may suspend */
    void (*on_connect)(struct gw *gw, const struct gw_client *client); /* TCP accept */
    void (*on_websocket_connect)(struct gw *gw, const struct gw_client *client,
                                 const struct gw_request *request);
    void (*on_message)(struct gw *gw, const struct gw_client *client, struct gw_bytes message);
    /* The client is gone: its session can be read, sending to it does nothing. */
    void (*on_close)(struct gw *gw, const struct gw_client *client);
    void (*on_stop)(struct gw *gw); /* after the last event of this process; may suspend */
    /* Before the WebSocket handshake is answered: may this client come in? May suspend; after
     * handshake_timeout of the gateway it is refused. on_websocket_connect follows a yes. */
    void (*on_handshake)(struct gw *gw, const struct gw_client *client,
                         const struct gw_request *request, struct gw_answer *answer);
    /* What waits to be sent to this client has reached send_to_client_buffer_size of its gateway,
     * so that a message found no room: on_full of the gateway says what becomes of it and of those
     * that follow. Told once until on_buffer_drain; with on_full = close on_close follows. By
     * gateways of ours only. */
    void (*on_buffer_full)(struct gw *gw, const struct gw_client *client);
    void (*on_buffer_drain)(struct gw *gw, const struct gw_client *client); /* all of it is out */
};

/* A module defines exactly one symbol for the worker: const struct gw_module gw_module = { … }; */
extern GW_API const struct gw_module gw_module;

/* About the worker (or service) itself; none suspends. */
GW_API int gw_worker_id(const struct gw *gw);           /* 0 … count-1; -1 outside a worker */
GW_API const char *gw_worker_name(const struct gw *gw); /* of the section; NULL outside a worker */
/* A value from the worker's section: `option = color=blue` makes gw_option(gw, "color") "blue".
 * NULL when absent. */
GW_API const char *gw_option(const struct gw *gw, const char *name);

/* Lines for the server's log; outside a worker they go to the standard error. None suspends. */
GW_API void gw_log(struct gw *gw, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
GW_API void gw_log_error(struct gw *gw, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif
#endif
