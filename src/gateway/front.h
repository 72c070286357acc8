/* The side of the clients: accepts them, turns what they do into events, sees them off. */
#ifndef GATEWAY_FRONT_H
#define GATEWAY_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "chan/chan.h"
#include "chan/door.h"
#include "sse/lobby.h"

struct client;
struct gateway;

/* One listening address of the clients. */
struct front {
    struct gateway *gateway;
    struct door door;
    struct lobby lobby; /* between door and clients, with sse */
    bool has_lobby;
    struct chan_kind kind;
    uint16_t port; /* gateway_port of its clients' events */
};

/* Serves fd, which stays the caller's, in the protocol that url names, over TLS unless `tls` is
 * NULL. 0 or -errno, logged. */
int front_start(struct front *f, struct gateway *g, const char *url, int fd,
                struct tls_context *tls) NODISCARD;
void front_stop(struct front *f); /* accepts no more; twice is fine */

/* Where the client came in. */
struct front *front_of(const struct client *c);

void front_fini(struct front *f); /* no connection of it may be left */

/* The client is gone for workers and tables from now on: ON_CLOSE, then its memory. What its
 * channel still has to send is sent. */
void front_part(struct gateway *g, struct client *c);
/* Says goodbye to everybody (1001, RFC 6455 §7.4.1: going away). */
void front_close_all(struct gateway *g);

#endif
