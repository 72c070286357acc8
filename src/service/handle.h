/* What a module holds of a connection: its events, in order and one at a time, on coroutines.
 *
 * An event that happens while a callback of the same connection waits is kept until that one has
 * returned. Nothing is read from the connection meanwhile, so that one message at most is kept. */
#ifndef SERVICE_HANDLE_H
#define SERVICE_HANDLE_H

#include <stdbool.h>
#include <stdint.h>

#include <gw/service.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/span.h"
#include "chan/chan.h"
#include "net/co.h"
#include "service/own_codec.h"

struct service;
struct datagrams;
struct dial;
struct http_line;

/* In the order in which they are told when several wait. */
enum handle_event {
    HANDLE_CONNECT = 1 << 0,
    HANDLE_OPEN = 1 << 1, /* WebSocket's handshake */
    HANDLE_FULL = 1 << 2,
    HANDLE_DRAIN = 1 << 3,
    HANDLE_MESSAGE = 1 << 4,
    HANDLE_REQUEST = 1 << 5,
    HANDLE_CLOSE = 1 << 6,
};

struct gw_conn {
    struct list node;    /* of service.accepted or .dialled */
    struct list waiting; /* of service.waiting */
    struct service *service;
    uint64_t id;
    void *data;
    const struct gw_conn_events *events; /* NULL: messages are read by gw_conn_read() */
    struct addr peer;
    char ip[ADDR_TEXT_MAX];

    struct conn *conn;               /* NULL after its end, and for a datagram */
    struct chan *chan;               /* NULL where conn is NULL or speaks HTTP */
    const struct service_kind *kind; /* of chan */
    struct http_line *http;          /* an HTTP connection */
    struct datagrams *datagrams;     /* what it was received from, and is answered over */
    struct dial *dial;               /* dialled: what only those have */

    struct buf message; /* of the event in hand or waiting */
    struct gw_http *request;
    struct gw_goodbye goodbye;
    struct co *flusher; /* waits until everything is sent */
    struct co *reader;  /* in gw_conn_read() */
    const char *refusal;
    int refusal_status;
    uint8_t pending; /* enum handle_event */
    bool is_binary : 1;
    bool is_running : 1;   /* a callback of it is under way */
    bool is_held : 1;      /* not read from until its callbacks are done */
    bool is_paused : 1;    /* by the module */
    bool is_full : 1;      /* on_buffer_full was told last */
    bool is_opening : 1;   /* inside the handshake: it can be refused */
    bool is_forgotten : 1; /* by a module that reads itself */
    bool is_dead : 1;
};

/* Accepted: peer is borrowed. The connection is attached by whoever makes it. */
struct gw_conn *handle_new(struct service *s, const struct addr *peer,
                           const struct gw_conn_events *events);
/* Freed at the end of the turn; nothing may be told any more. */
void handle_bury(struct gw_conn *h);

/* The client behind a trusted proxy, as the request tells, is the peer from now on. */
void handle_look_behind_proxy(struct gw_conn *h, const struct http_request *r);
/* Tells the event, now or when its turn comes. Borrows the payload. */
void handle_raise(struct gw_conn *h, enum handle_event event);
void handle_message(struct gw_conn *h, struct span payload, bool is_binary);
/* The connection has ended: on_close is the last event. */
void handle_ended(struct gw_conn *h, int why, uint16_t code);
/* All output has left: wakes who waited for it. */
void handle_drained(struct gw_conn *h);
/* After something was queued: tells on_buffer_full when it was too much. */
void handle_watch_queue(struct gw_conn *h);

/* For chan_kind.events: the channel's owner is the handle. */
extern const struct chan_events handle_chan_events;

/* Gives coroutines to handles that wait for one: service.more. */
void handle_more(struct task *t);
void handle_free_dead(struct task *t); /* service.bury */

#endif
