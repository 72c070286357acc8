/* Accepts connections from a listening descriptor, in bounded portions per turn. */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/rate.h"
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

/* How many connections the listeners that share it accept in a second, a tenth of them at once. The
 * others wait in the kernel's backlog and are accepted later; nobody is refused. */
struct listener_pace {
    const char *key; /* of the config, for the log */
    int64_t per_second;
    struct rate rate;
    uint32_t full_at;
    uint64_t waits_n; /* how often a listener stopped accepting for a while */
};

/* per_second: up to 65535; 0 for no limit. key: borrowed for good. */
struct listener_pace listener_pace_of(int64_t per_second, const char *key);
void listener_keep_pace(struct listener *s, struct listener_pace *pace); /* outlives s */

void listener_pause(struct listener *s);
void listener_resume(struct listener *s);
void listener_stop(struct listener *s); /* frees; does not close fd */
/* In a forked child: closes what is the listener's own, which is not fd; frees nothing. */
void listener_abandon(struct listener *s);

#endif
