/* What a role (gateway, worker, registry, web) gives to the master: one table of functions. */
#ifndef PROC_ROLE_H
#define PROC_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/activity.h"
#include "base/buf.h"
#include "base/conf.h"
#include "base/notices.h"
#include "net/addr.h"
#include "net/conn.h"
#include "net/loop.h"
#include "proc/sandbox.h"

enum { ROLE_LISTENERS_MAX = 8 };

/* The order in which roles are started; proc/stop.h tells how `stop -g` uses it. */
enum { ROLE_ORDER_REGISTRY, ROLE_ORDER_GATEWAY, ROLE_ORDER_WORKER, ROLE_ORDER_WEB };

/* A listening address of one process, bound by the master before any fork and before privileges
 * are dropped, so that a busy port is one clear error and a crash loses no waiting connection. */
struct role_listen {
    char url[256];    /* "websocket://0.0.0.0:7272", as in the config, for messages and status */
    const char *key;  /* the config key that it comes from, for complaints; NULL: "listen" */
    struct addr addr; /* with its port; unused when unix_path is set */
    const char *unix_path; /* NULL: TCP; lives as long as the config */
    bool is_shared;        /* all processes of the section bind it (SO_REUSEPORT) */
    bool is_datagram;      /* UDP */
    bool is_public;        /* a unix socket that every user of this host may connect to */
    bool is_tls;           /* for the banner */
};

/* What the process of one slot gets. Lives as long as the process. */
struct role_env {
    struct loop *loop;
    struct conn_pool *conns;
    const struct conf *conf;
    const struct conf_section *section; /* section->conf is the role's own struct */
    const struct role *role;
    int slot;              /* 0 … count-1: a restarted process has the same one */
    unsigned generation;   /* 1 for the first process of the slot, then counting up */
    const int *listen_fds; /* in the order of plan(); borrowed */
    size_t listen_fds_n;
    struct span credentials; /* in start() and reopen(): what credentials() wrote; empty in reopen()
                                when it failed */
    const char *artifact;    /* what prepare() made (path), NULL when the role has no prepare */
    struct activity *activity;     /* where business code is shown to the master; may be NULL */
    const struct notices *notices; /* of all gateways of this server; may be NULL */
    size_t notices_pos;            /* of the page that is this process's, if it is a gateway */
    const char *run_dir;           /* for sockets and artifacts of this server; exists */
    /* Tells the master that this process serves (a worker: is connected and its on_start returned).
     * A reload waits for it before the old process is asked to drain. Every role calls it once. */
    void (*ready)(struct role_env *env);
    /* Asks the master for the numbers of all processes; role->metrics() gets them, after little
     * more than a second at the latest, or not at all when the master is stuck or gone. While an
     * answer is on its way further questions change nothing. */
    void (*ask_metrics)(struct role_env *env);
    /* Ends this process with exit status 0 at the end of the turn; after drain() or stop(). */
    void (*finished)(struct role_env *env);
};

/* A row of PROCESS STATUS; zero-filled before status() is asked. */
struct role_status {
    char listening[256]; /* "none" when empty */
    uint64_t connections_n;
    uint64_t send_fail_n;
    uint64_t timers_n;
    uint64_t requests_n;
    /* Shown in --json: */
    uint64_t uids_n, groups_n;
    uint64_t queued_bytes;                          /* events on their way to workers, or in hand */
    uint64_t dropped_n, lost_n;                     /* events */
    uint64_t drop_new_n, drop_old_n, slow_closed_n; /* of send_fail_n, by what on_full does */
    uint64_t slow_n;                                /* clients with full output, now */
    uint64_t refused_n, limited_n;      /* connections; messages or handshakes: by limits */
    uint64_t join_refused_n;            /* groups that a client had too many of */
    uint64_t silent_n;                  /* clients that the heartbeat ended */
    uint64_t delivered_n;               /* messages to clients */
    uint64_t read_bytes, written_bytes; /* of all connections, inner ones too */
    uint64_t links_n;   /* a gateway's workers; to how many gateways a worker has a link */
    uint64_t sends_n;   /* messages to clients that were handed in at the inner port */
    uint64_t unheard_n; /* peers that are stuck or cut off */
    uint64_t beyond_n;  /* gateways that are reached through NATS */
    uint64_t nats_in_n, nats_out_n, nats_lost_n; /* messages; lost: for want of room, either way */
    uint64_t interest_bytes; /* what it costs to know which gateways hold which names */
};

/* A row of `gatehouse connections`. */
struct role_connection {
    uint64_t id;
    const char *transport; /* "tcp", "tls", "unix" */
    const char *protocol;  /* "websocket", "text", "wire"… */
    bool is_ipv6;
    const char *state; /* "ESTABLISHED", "HANDSHAKE", "CLOSING" */
    uint64_t read_bytes, written_bytes, unread_bytes, unsent_bytes;
    char local[ADDR_TEXT_MAX];
    char remote[ADDR_TEXT_MAX];
};
/* Returns false to stop the walk. */
typedef bool role_connection_fn(void *ctx, const struct role_connection *row);

struct role {
    const char *kind; /* "gateway": the section kind and the process title */
    const struct conf_table
        *table; /* its keys; "count", "name", "user", "stuck_timeout" are found by these names */
    enum sandbox_kind sandbox;
    bool is_reloadable; /* reload replaces its processes; others only get reopen() */
    int start_order;    /* ROLE_ORDER_… */

    /* How many processes the section asks for. */
    int (*count)(const void *conf);
    /* Looks for what the key table cannot express; each complaint is one line in `errors`, by
     * conf_complain() or beginning like its lines. 0 or GW_ECONF. May be NULL. */
    int (*check)(const struct conf *conf, const struct conf_section *s, struct buf *errors);
    /* Fills the addresses that slot `slot` listens on; returns how many, or GW_ECONF with a line in
     * errors. */
    int (*plan)(const struct conf *conf, const struct conf_section *s, int slot,
                struct role_listen out[ROLE_LISTENERS_MAX], struct buf *errors);
    /* Reads what the processes may not read once they have become another user (private keys), and
     * checks it. Called by the master at start and at a reload. A process gets its own section's
     * only. 0 or GW_ECONF with a line each in errors: then nothing starts, or a running process
     * keeps what it has. May be NULL. */
    int (*credentials)(const struct conf *conf, const struct conf_section *s, struct buf *out,
                       struct buf *errors);
    /* Builds what processes of a generation need (a worker compiles its events.c). Runs in a
     * process of its own, so it may block; what it prints on stderr is shown to whoever asked for
     * the start or reload, and logged. Writes the artifact's path. 0 or < 0: then the old code
     * keeps running. May be NULL. */
    int (*prepare)(const struct conf *conf, const struct conf_section *s, const char *run_dir,
                   unsigned serial, struct buf *artifact);

    /* In the process: starts serving. 0, or < 0 with a log line: the process exits and is retried.
     */
    int (*start)(struct role_env *env, void **self);
    /* Finish work in hand, take no more, then env->finished(). Reload (of reloadable roles) and
     * stop -g. */
    void (*drain)(void *self);
    /* Take no more clients, tell those who are there to come back elsewhere, per_second of them
     * each second (0: so that it is done in `seconds`), then as drain(). May be NULL: nobody
     * depends on this one process. */
    void (*retreat)(void *self, uint64_t per_second, uint64_t seconds);
    /* Stop now: close with a flush, then env->finished(); the master kills after stop_timeout. */
    void (*stop)(void *self);
    void (*reopen)(
        void *self); /* reload of a role that is not reloadable (certificates…); may be NULL */
    void (*status)(void *self, struct role_status *out);
    /* The answer to ask_metrics(), in the text format of Prometheus, borrowed; may be NULL. */
    void (*metrics)(void *self, struct span text);
    void (*connections)(void *self, role_connection_fn *row, void *ctx); /* may be NULL */
};

#endif
