/* The HTTP API's way to the gateways: a mesh on which one gateway that hangs costs its own share
 * only. */
#ifndef WEB_API_LINKS_H
#define WEB_API_LINKS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "mesh/mesh.h"
#include "proc/role.h"
#include "web/web_conf.h"

struct api_rest;

struct api_links {
    struct mesh mesh;
    uint64_t started_ms;
    struct api_rest *rests; /* gateways that were late */
    size_t rests_n;
    bool is_closing;
    void (*on_down)(void *owner); /* a link was lost, or is closed */
    void *owner;
};

/* 0 or -errno. tls outlives it. Its coroutines are those of mesh.fibers. */
int api_links_open(struct api_links *l, const struct role_env *env, const struct web_conf *conf,
                   const struct peer_tls *tls, void (*on_down)(void *owner), void *owner) NODISCARD;
/* On a coroutine, once per call: shortly after the start, waits for the gateways to be there. */
void api_links_settle(struct api_links *l);
/* Flushes and closes; what waits for answers fails, and on_down follows for every link. */
void api_links_close(struct api_links *l);

#endif
