/* The state of one gateway process, as the files of this room share it. */
#ifndef GATEWAY_STATE_H
#define GATEWAY_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "gateway/auth.h"
#include "gateway/clients.h"
#include "gateway/front.h"
#include "gateway/groups.h"
#include "gateway/heartbeat.h"
#include "gateway/herald.h"
#include "gateway/inner.h"
#include "gateway/interest.h"
#include "gateway/job.h"
#include "gateway/rates.h"
#include "gateway/receivers.h"
#include "gateway/registrar.h"
#include "gateway/retreat.h"
#include "gateway/route.h"
#include "gateway/silence.h"
#include "net/addr_counts.h"
#include "net/arrivals.h"
#include "net/cidr.h"
#include "net/conn.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/peer_tls.h"
#include "proc/role.h"

struct gateway_conf;
struct nats_peer;

struct gateway_counts {
    uint64_t requests_n;  /* messages from clients */
    uint64_t sends_n;     /* messages to clients that workers and others handed in */
    uint64_t delivered_n; /* messages queued for clients, each counted for each */
    uint64_t send_fail_n; /* messages that a full client did not get: the sum of these: */
    uint64_t drop_new_n, drop_old_n, slow_closed_n; /* by what on_full made of them */
    uint64_t refused_n;                             /* connections beyond a limit */
    uint64_t limited_n;                             /* messages beyond a rate */
    uint64_t join_refused_n;                        /* joins beyond max_groups_per_client */
    uint64_t silent_n;                              /* clients that the heartbeat ended */
    uint64_t dropped_n; /* events dropped because no worker came in time */
    uint64_t lost_n;    /* events in the hands of workers that died */
};

struct gateway {
    struct role_env *env;
    const struct gateway_conf *conf;
    struct loop *loop;
    struct conn_pool *conns;
    uint32_t local_ip; /* of the inner port, in every client_id */
    uint16_t local_port;

    struct clients clients;
    struct groups groups;
    struct groups uids;
    struct interest interest;
    struct herald herald;
    struct heartbeat heartbeat;
    struct route route;
    struct rates rates;
    struct inner inner;
    struct silence silence;
    struct retreat retreat;
    struct peer_tls inner_tls;
    struct jobs jobs;
    struct registrar registrar;
    struct nats_peer *nats_peer; /* NULL: no [cluster] */
    struct auth auth;
    struct ws_deflate *deflate; /* of all fronts; NULL: off */
    struct front fronts[ROLE_LISTENERS_MAX];
    size_t fronts_n;
    struct cidr_set trusted;      /* proxies */
    struct listener_pace pace;    /* of all fronts */
    struct addr_counts addresses; /* of the clients, while there is a limit; see front.c */
    struct arrivals *arrivals;    /* NULL: no max_handshakes_per_address */

    struct receivers receivers; /* scratch of one command: whom it is for */
    struct buf text;            /* scratch of one command or event: a body, a reply */
    struct gateway_counts counts;

    uint32_t slow_n; /* clients whose output is full, or was and is not empty yet */

    size_t foreign_conns_n; /* connections of the loop that are not ours */
    struct timer ending;    /* looks whether a stop or drain is complete */
    uint64_t ending_deadline_ms;
    bool is_draining;
    bool is_stopping;
    bool was_empty; /* no connection at the last look */
};

#endif
