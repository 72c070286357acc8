/* The mesh: open links to every gateway that a registry names, for processes with a loop. */
#ifndef MESH_MESH_H
#define MESH_MESH_H

#include <stddef.h>

#include "client/io.h"
#include "mesh/beyond.h"
#include "mesh/gateways.h"
#include "mesh/registrars.h"
#include "net/fibers.h"
#include "net/peer_tls.h"
#include "proc/role.h"

/* What the Gateway API works on in a worker and in the queue role. Its parts are initialised by the
 * role, which knows what to do with what they tell. */
struct mesh {
    struct gw gw;
    struct loop *loop;
    struct fibers fibers;
    struct peer_tls tls;
    struct registrars registrars;
    struct gateways gateways;
    struct beyond *beyond; /* the rest of the cluster; NULL: there is none */
};

/* What the process shares with its server, and the cluster of the config, if it has one: once
 * gateways are initialised. */
void mesh_join(struct mesh *m, const struct role_env *env);
/* At the end of the turn, in which the process ends. Twice is fine. */
void mesh_leave(struct mesh *m);

/* Rows of struct gw_io over the links; their gw is that of a struct mesh. Sends are queued at once
 * and leave at the end of the turn; what must wait suspends the coroutine that asked. */
int mesh_gateways(struct gw *gw, const struct addr_book **out);
int mesh_send(struct gw *gw, struct gateway_at to, const struct wire_packet *p);
int mesh_publish(struct gw *gw, const struct reach *reach, const struct wire_packet *p,
                 const char *const *but_ids, size_t but_n);
int mesh_settle(struct gw *gw); /* waits while a link is full */
void mesh_ask(struct gw *gw, const struct wire_packet *p, struct fanout *f);
bool mesh_is_ours(struct gw *gw, struct gateway_at at);
bool mesh_may_have(struct gw *gw, struct gateway_at at, enum interest_kind kind, struct span name);
int mesh_sleep(struct gw *gw, uint64_t ms);
void mesh_breathe(struct gw *gw);
int mesh_wait(struct gw *gw, struct gw_waiter *w);
void mesh_wake(struct gw *gw, struct gw_waiter *w);
void mesh_log(struct gw *gw, bool is_error, const char *fmt, va_list args) PRINTF_LIKE(3, 0);

/* On a coroutine: waits until what was sent has left this process on every link that is up, for at
 * most max_ms. False: a gateway does not take it. */
bool mesh_flush(struct mesh *m, uint64_t max_ms);
/* A registry has told its list, and every gateway in it is connected or could not be. */
bool mesh_is_settled(const struct mesh *m);
/* Fills what is about links and the rest of the cluster. */
void mesh_status(const struct mesh *m, struct role_status *out);
/* A row for each link: see proc/role.h. */
void mesh_connections(const struct mesh *m, role_connection_fn *row, void *ctx);

#endif
