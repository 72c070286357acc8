/* What the parts of one service process share. */
#ifndef SERVICE_SELF_H
#define SERVICE_SELF_H

#include <stdbool.h>

#include <gw/service.h>

#include "base/idmap.h"
#include "base/list.h"
#include "base/vec.h"
#include "mesh/mesh.h"
#include "module/timers.h"
#include "proc/role.h"
#include "service/datagrams.h"
#include "service/entry.h"
#include "service/service_conf.h"
#include "store/store.h"

enum service_phase {
    SERVICE_STARTING, /* on_start runs */
    SERVICE_SERVING,
    SERVICE_DRAINING, /* accepts nothing new, the connections go on for a while */
    SERVICE_CLOSING,  /* they are told goodbye */
    SERVICE_STOPPING, /* on_stop runs */
    SERVICE_ENDING,   /* links to gateways flush */
};

struct service {
    struct mesh mesh; /* its gw is what the module's calls are made on */
    struct role_env *env;
    const struct service_conf *conf;
    const struct gw_service_module *module;
    struct gw_conn_events events; /* the module's, for accepted connections */
    enum service_phase phase;
    struct timers timers;
    struct stores stores;

    struct entry entries[ROLE_LISTENERS_MAX];
    size_t entries_n;
    struct tls_context *tls; /* until the entries are open; NULL without TLS */
    struct cidr_set trusted;
    struct tls_context *dial_tls; /* made when it is needed first */
    struct datagrams datagrams[ROLE_LISTENERS_MAX];
    size_t datagrams_n;

    struct list accepted; /* struct gw_conn */
    struct list dialled;  /* likewise */
    struct idmap *by_id;  /* accepted ones */
    struct list waiting;  /* with events, but no coroutine was free */
    struct task more;     /* gives them one */
    bool is_short;        /* somebody waits for a coroutine */
    struct vec dead;      /* freed at the end of the turn */
    struct task bury;
    struct vec idle_bufs; /* struct buf: messages were in them */
    struct buf scratch;   /* an answer or event being written; never in use across a wait */
    uint64_t last_id;
    uint64_t requests_n;
    uint64_t send_fail_n;

    struct timer starting;
    struct timer leaving; /* the end of the phase, at the latest */
    struct task look;     /* whether the last connection has left */
    bool is_finished;
};

/* The service that a module's call is made in; NULL, logged, outside of one. */
struct service *service_of(struct gw *gw);
/* Limits and times for the channels of this service; the codec is the caller's to set. */
void service_chan_conf(const struct service *s, struct chan_kind *out);
/* A connection has left, or a coroutine has ended: ending.c looks whether that was the last. */
void ending_look(struct service *s);

#endif
