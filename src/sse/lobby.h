/* In front of a WebSocket listener: tells fallback clients and WebSocket clients apart.
 *
 * A fallback client is a session here, and behind it a WebSocket client like any other: the session
 * speaks WebSocket over a socket pair to whoever serves the listener, and events and POSTs to the
 * browser. So limits, handshakes, groups and events are the same for both. docs/fallback.md */
#ifndef SSE_LOBBY_H
#define SSE_LOBBY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/list.h"
#include "chan/door.h"
#include "net/addr_counts.h"
#include "net/conn.h"
#include "net/listener.h"
#include "proto/http.h"

struct session;

/* A POST carries so many bytes of messages besides the largest one: what waits at a browser travels
 * together (web/gatehouse.js, POST_MAX_BYTES), and each has a length in front. */
enum { LOBBY_POST_ROOM_BYTES = (256 + 4) * 1024 };

struct lobby_conf {
    struct conn_pool *conns;
    const char *run_dir; /* for the sockets on which processes pass requests to one another */
    const char *section;
    int listener; /* which one of the section */
    int slot;     /* of this process */
    size_t max_message_bytes;
    size_t max_head_bytes;
    uint64_t request_timeout_ms;
    uint64_t resume_ms;    /* how long a session outlives its stream */
    uint64_t replay_bytes; /* sent events that are kept in case they did not arrive */

    void *owner;
    /* Not for the fallback: takes the connection, with all of its bytes unread. */
    void (*on_other)(void *owner, struct conn *c);
    /* A session: fd will speak WebSocket. Takes fd. */
    door_enter_fn *on_client;
    /* Whether pages of the request's origin may come. */
    bool (*may_come)(void *owner, const struct http_request *r);
};

struct lobby {
    struct lobby_conf conf;
    struct conn_conf conn_conf;
    struct map *sessions; /* by id */
    struct list guests;
    size_t guests_n;              /* that came by themselves; not those relayed here */
    struct addr_counts addresses; /* of these */
    struct list relays;
    struct listener *listener; /* requests that came to other processes; NULL: there is none */
    int listen_fd;
    char *path;
    struct buf text; /* scratch */
    bool is_closing;
};

/* 0 or -errno, logged. conf is copied, its texts are borrowed. */
int lobby_open(struct lobby *l, const struct lobby_conf *conf) NODISCARD;
/* Takes no more; what is left ends with the clients. Twice is fine. */
void lobby_close(struct lobby *l);
void lobby_fini(struct lobby *l); /* no connection of it may be left */

/* An accepted connection, whatever it will be. Takes fd and transport_state. */
void lobby_enter(struct lobby *l, int fd, const struct addr *peer,
                 const struct transport *transport, void *transport_state);

#endif
