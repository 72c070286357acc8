/* Watches the first processes of a start until all serve, or until one will not. */
#ifndef PROC_STARTUP_H
#define PROC_STARTUP_H

#include <stdbool.h>

#include "proc/fleet.h"

/* A process that crashes this often before it ever served makes the start fail. */
enum { STARTUP_TRIES_MAX = 3 };

struct startup {
    struct fleet *fleet;
    struct timer deadline;
    bool is_over;
    /* is_failed: the server should stop. `text` has one line per process that is not ready: with
     * is_failed false they live but wait (for a registry on another host, say), and the server goes
     * on. */
    void (*on_over)(void *owner, bool is_failed, struct span text);
    void *owner;
};

void startup_begin(struct startup *u, uint64_t limit_ms);
void startup_step(struct startup *u); /* after each change of the fleet */
void startup_fini(struct startup *u);

#endif
