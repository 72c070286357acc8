/* One HTTP connection of the lobby: a stream of events, or requests with messages. */
#ifndef SSE_GUEST_H
#define SSE_GUEST_H

#include <stdbool.h>

#include "base/list.h"
#include "net/conn.h"
#include "proto/http.h"

struct lobby;
struct session;

struct guest {
    struct list node;
    struct lobby *lobby;
    struct conn *conn;
    void *codec;
    struct session *awaited;   /* its handshake decides about the answer */
    struct session *stream_of; /* its events go out here; no more requests are read */
    struct buf cors;           /* header lines for the answers to the page that asks */
    size_t searched;
    bool is_inside;   /* a request, of which the codec holds a part */
    bool has_asked;   /* spoke HTTP for us before: it cannot become a WebSocket any more */
    bool is_relayed;  /* by another process */
    bool awaits_peer; /* the relay's first line */
};

/* Serves a connection that was accepted. */
void guest_new(struct lobby *l, int fd, const struct addr *peer, const struct transport *transport,
               void *transport_state, bool is_relayed);
/* Frees it; its connection has another owner now. */
void guest_let_go(struct guest *g);
/* A small answer; is_last: then the connection closes, as one that is relayed does in any case. */
void guest_answer(struct guest *g, int status, const char *text, bool is_last);
/* The head of a stream; events follow with conn_send(). */
void guest_begin_stream(struct guest *g, struct session *s);

#endif
