/* One connection to the registry: its lines, its deadline, its part in the directory. */
#ifndef REGISTRY_PEER_H
#define REGISTRY_PEER_H

#include "base/list.h"
#include "chan/chan.h"
#include "registry/directory.h"

enum { PEER_FIRST_LINE_MS = 10 * 1000 }; /* register.json auth_timeout */

/* What the peers of one registry have in common; owned by the registry. */
struct peer_host {
    struct loop *loop;
    struct conn_pool *conns;
    struct directory directory;
    const char *secret_key;
    struct list peers; /* of struct peer */
    size_t peers_n, peers_max;
    uint64_t lines_n;                     /* complete lines received */
    uint64_t send_fail_n;                 /* lists that a worker did not read in time */
    struct task broadcast;                /* sends the list to all workers at the end of the turn */
    void (*on_gone)(struct peer_host *h); /* a peer has left; may be NULL */
};

struct peer {
    struct list node;
    struct peer_host *host;
    struct chan *chan;
    struct member member;
    uint64_t told_version; /* of the directory, in the last list sent */
    struct timer deadline; /* for a first line, then for a role */
};

void peer_host_init(struct peer_host *h, struct loop *l, struct conn_pool *p,
                    const char *secret_key);
void peer_host_fini(struct peer_host *h); /* all peers must be gone */

/* Takes fd and transport_state. When all places are taken, the oldest peer without a role leaves,
 * or this one. The peer frees itself when its connection is gone. */
void peer_accept(struct peer_host *h, int fd, const struct addr *from,
                 const struct transport *transport, void *transport_state);
void peer_host_close_all(struct peer_host *h); /* flushes; on_gone follows for each */

#endif
