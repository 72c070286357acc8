/* One HTTP connection of a web role: requests in, answers out, and a deadline for every wait. */
#ifndef WEB_VISITOR_H
#define WEB_VISITOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "net/cidr.h"
#include "net/conn.h"
#include "web/api.h"
#include "web/pages.h"
#include "web/scrapes.h"
#include "web/web_conf.h"

struct visitor;

/* All visitors of a process. */
struct visitors {
    struct conn_pool *conns;
    struct conn_conf conn_conf;
    const struct web_conf *conf;
    struct pages *pages;            /* borrowed; may be exchanged between turns */
    struct api *api;                /* borrowed; NULL: there is no HTTP API */
    struct scrapes *scrapes;        /* borrowed */
    const struct cidr_set *trusted; /* proxies; borrowed */
    struct list waiting; /* for a request, or for the rest of its head: the oldest first */
    struct list busy;    /* their answers are on the way */
    size_t n;
    uint64_t requests_n;
    bool is_draining;
    void (*on_empty)(struct visitors *all); /* the last one left after visitors_drain/close */
};

void visitors_init(struct visitors *all, struct conn_pool *conns, const struct web_conf *conf,
                   struct pages *pages, const struct cidr_set *trusted,
                   void (*on_empty)(struct visitors *all));
/* Takes fd and transport_state. */
void visitors_accept(struct visitors *all, int fd, const struct addr *peer,
                     const struct transport *transport, void *transport_state);
/* Answers in hand are finished, all else is closed; on_empty follows, perhaps from this call. */
void visitors_drain(struct visitors *all);
/* Closes all after what is queued was sent; on_empty follows likewise. */
void visitors_close(struct visitors *all);
/* Returns false to stop the walk. */
typedef bool visitor_fn(void *ctx, struct conn *conn, bool is_waiting);
void visitors_walk(const struct visitors *all, visitor_fn *each, void *ctx);

#endif
