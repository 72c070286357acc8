/* The registries: a connection to each, and the list of gateways that they give together. */
#ifndef MESH_REGISTRARS_H
#define MESH_REGISTRARS_H

#include <stdbool.h>

#include "base/vec.h"
#include "mesh/registries.h"
#include "net/conn.h"

struct registrars {
    struct conn_pool *conns;
    const char *secret;
    const struct peer_tls *tls;
    struct vec all;    /* struct registrar */
    struct vec merged; /* char *, borrowed from the registrars: what any of them lists */
    bool has_list;     /* one has told at least once */
    bool is_stopped;
    void (*on_change)(void *owner, const struct vec *addresses); /* borrowed */
    void *owner;
};

/* Connects to every address and stays connected: again after 1 s, for ever. tls outlives it. */
void registrars_start(struct registrars *r, struct conn_pool *conns,
                      const struct registries_conf *conf, const struct peer_tls *tls,
                      void (*on_change)(void *owner, const struct vec *addresses), void *owner);
void registrars_stop(struct registrars *r); /* closes all; twice is fine */

#endif
