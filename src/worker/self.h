/* What the parts of one worker process share. */
#ifndef WORKER_SELF_H
#define WORKER_SELF_H

#include <stdbool.h>

#include <gw/module.h>

#include "mesh/mesh.h"
#include "module/timers.h"
#include "proc/role.h"
#include "store/store.h"
#include "worker/dispatch.h"
#include "worker/worker_conf.h"

enum worker_phase {
    WORKER_STARTING, /* connecting; events wait */
    WORKER_SERVING,
    WORKER_DRAINING, /* takes no new events, finishes those in hand */
    WORKER_STOPPING, /* on_stop runs, links flush and close */
};

struct worker {
    struct mesh mesh; /* its gw is what the module's calls are made on */
    struct role_env *env;
    const struct worker_conf *conf;
    const struct gw_module *module;
    char *worker_key;
    enum worker_phase phase;
    struct dispatch dispatch;
    struct timers timers;
    struct stores stores;

    struct timer starting; /* looks whether the gateways are there */
    uint64_t started_ms;
    struct task leaving;   /* looks whether everything in hand is done */
    struct timer stopping; /* the longest that on_stop, then closing, may take */
    bool has_stopped;      /* on_stop has returned or took too long */
    bool is_finished;
};

#endif
