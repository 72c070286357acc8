/* A worker's connection to one gateway: hello, events in, commands out, queries, back-pressure. */
#ifndef MESH_UPLINK_H
#define MESH_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/idmap.h"
#include "base/list.h"
#include "chan/chan.h"
#include "chan/pulse.h"
#include "client/addr_book.h"
#include "mesh/asker.h"
#include "mesh/holdings.h"
#include "mesh/query.h"
#include "net/fibers.h"
#include "net/resolve.h"
#include "proto/wire.h"

struct peer_tls;
struct uplink;

struct uplink_events {
    void (*on_up)(struct uplink *u, void *owner);
    /* Events of clients and CMD_DRAIN_MARK; borrowed. */
    void (*on_packet)(struct uplink *u, void *owner, const struct wire_packet *p);
    /* The link, or an attempt to make it, ended. is_up says what it was. Queries have failed and
     * waiting senders go on afterwards. The owner may free u inside. */
    void (*on_down)(struct uplink *u, void *owner, bool was_up);
};

/* What all links of a worker have in common. */
struct uplink_kind {
    struct chan_kind chan;
    const struct uplink_events *events;
    void *owner;
    struct conn_pool *conns;
    struct fibers *fibers;
    const char *worker_key; /* NULL: connects as GatewayClient does, and gets no events */
    const char *secret;
    const struct peer_tls *tls;
    const struct notices *notices; /* of the gateways of this server; NULL: none */
    bool has_judge;                /* takes CMD_ON_HANDSHAKE */
    bool skips_requests;           /* has no use for CMD_ON_WEBSOCKET_CONNECT */
    bool hears_buffers;            /* takes CMD_ON_BUFFER_FULL and CMD_ON_BUFFER_DRAIN */
    uint64_t send_max_bytes;
};

enum uplink_state { UPLINK_DOWN, UPLINK_DIALLING, UPLINK_UP };
enum uplink_drain { DRAIN_NO, DRAIN_ASKED, DRAIN_MARKED };

struct uplink {
    const struct uplink_kind *kind;
    char *address; /* as the registry names it */
    struct gateway_at at;
    enum uplink_state state;
    bool is_listed;    /* a registry names it now */
    bool is_tried;     /* a first attempt came to an end */
    bool is_ours;      /* CMD_HELLO came: our extension is agreed */
    uint64_t since_ms; /* when it came up */

    enum uplink_drain drain;
    struct idmap *clients;  /* struct client *, of dispatch */
    uint32_t done_n;        /* finished events not yet told by CMD_DONE */
    struct task tell;       /* tells them at the end of the turn, when something else is sent */
    struct timer tell_late; /* or then */
    bool tells_interest;    /* agreed, too: CMD_INTEREST comes, CMD_PING is answered */
    struct holdings holdings;
    const struct notice_page *page; /* of a gateway of this server; else NULL */
    uint32_t heard;                 /* the number of its last CMD_INTEREST */
    uint32_t pings_n;               /* sent: the number of the last */
    uint32_t pong;                  /* the number of the last that was answered */
    struct pulse pulse;
    struct timer look; /* takes it */
    uint32_t mark;     /* that of the mark under way, which `tell` sends */

    struct chan *chan;
    struct resolve *resolve;
    struct timer retry;
    bool has_heard;   /* a packet has come */
    bool is_paused;   /* reads nothing for a while */
    struct list line; /* struct query_slot: answers owed on this link */
    struct asker *asker;
    struct list stalled; /* callbacks that wait for the queue to fall */
};

/* kind as the wire wants it, filled but for the owner's fields. */
void uplink_kind_init(struct uplink_kind *k, uint64_t packet_max_bytes);

struct uplink *uplink_new(const struct uplink_kind *kind, const char *address) NODISCARD;
void uplink_free(struct uplink *u); /* must be down */
void uplink_dial(struct uplink *u); /* down only; on_up or on_down follows, never at once */
void uplink_retry(struct uplink *u, uint64_t delay_ms); /* dials then */
/* Flushes and closes; on_down follows. */
void uplink_close(struct uplink *u);

/* Queues a packet, without its extension bits when the gateway is not ours. 0, GW_ENOGATEWAY while
 * down, or GW_ETOOBIG. Never refuses for a full queue (see uplink_make_room()), unless the gateway
 * is silent: then GW_EFULL. */
int uplink_send(struct uplink *u, const struct wire_packet *p) NODISCARD;
/* A packet that consists of its head, perhaps with a body. */
void uplink_send_cmd(struct uplink *u, uint8_t cmd, uint32_t connection_id, struct span body);
bool uplink_is_full(const struct uplink *u);
/* On a coroutine: waits while the queue is full. */
void uplink_make_room(struct uplink *u);
/* Everything queued was given to the kernel, or is lost with the link. */
bool uplink_is_flushed(const struct uplink *u);

/* Asks; the answer or failure goes into the target. */
void uplink_ask(struct uplink *u, const struct wire_packet *p, struct query *q,
                struct fanout_target *target);
/* Tells, once, how many events were finished: at the end of this turn when it sends something else,
 * or a little later. */
void uplink_will_tell(struct uplink *u);
/* Whether the gateway may have a client in the group or of the uid. */
bool uplink_may_have(const struct uplink *u, enum interest_kind kind, struct span name);
/* Takes no more packets for a while; queries go over a connection of their own meanwhile. */
void uplink_pause(struct uplink *u);
void uplink_resume(struct uplink *u);

#endif
