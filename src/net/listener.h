/* Accepts connections from a listening descriptor, in bounded portions per turn. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/compiler.h"
#include "net/addr.h"
#include "net/loop.h"

struct listener;

/* fd is taken by on_accept. */
typedef void listener_accept_fn(void *owner, int fd, const struct addr *peer);

/* Borrows fd (the master keeps it for the next process of this slot). When descriptors run out it
 * accepts and closes one connection through a spare descriptor, logs the limit, and pauses a
 * little, instead of spinning. NULL: errno. */
struct listener *listener_start(struct loop *l, int fd, listener_accept_fn *on_accept,
                                void *owner) NODISCARD;
void listener_pause(struct listener *s);
void listener_resume(struct listener *s);
void listener_stop(struct listener *s); /* frees; does not close fd */

#endif
