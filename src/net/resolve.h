/* Host names to addresses without blocking the loop: one short-lived thread per look-up. */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "base/compiler.h"
#include "net/addr.h"
#include "net/loop.h"

struct resolve;

/* rc 0 and the first IPv4 address, or the first at all where there is none ("localhost" must find a
 * server on 127.0.0.1), with the port of the text; or < 0. Comes from the loop, once. */
typedef void resolve_fn(void *owner, int rc, const struct addr *addr);

/* "name:port" or numbers (answered in the next turn without a thread). NULL: errno. */
struct resolve *resolve_start(struct loop *l, const char *text, resolve_fn *on_done,
                              void *owner) NODISCARD;
void resolve_cancel(struct resolve *r); /* on_done will not come; NULL is fine */
/* For start-up, before any loop runs: may block for the system's resolver timeout. */
int resolve_now(const char *text, struct addr *out) NODISCARD;

#endif
