/* One event of a client: its packet, kept until the callback is done, and what the callback sees.
 */
#ifndef WORKER_EVENT_H
#define WORKER_EVENT_H

#include <arpa/inet.h>
#include <stdint.h>

#include <gw/module.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/list.h"
#include "client/session.h"
#include "proto/wire.h"

struct client;
struct worker;

struct event {
    struct list node; /* in the queue of its client */
    struct client *client;
    struct wire_packet packet; /* points into bytes */
    struct buf bytes;          /* reused by later events, so that none costs an allocation */
    struct buf fetched;        /* the session, when the packet's was stale */
    struct session_values session;
    struct gw_client who;
    uint8_t ip6[WIRE_IP6_BYTES]; /* with WIRE_IP6 */
    char ip[INET6_ADDRSTRLEN];
    char gateway_ip[16];
    uint32_t gateway_ip_of; /* the address that gateway_ip spells */
};

/* Copies the packet: a callback that waits must find its message where it was. 0 or -ENOMEM. */
int event_fill(struct event *e, struct client *client, const struct wire_packet *p) NODISCARD;
void event_clear(struct event *e); /* ready for another packet; large buffers are given back */
void event_fini(struct event *e);

/* On a coroutine: brings the session up to date, runs the callback, writes the session back. */
void event_run(struct worker *w, struct event *e);

#endif
