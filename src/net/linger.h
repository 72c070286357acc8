/* Descriptors that said goodbye: shut down for writing and drained for a moment before they close.
 */
#ifndef NET_LINGER_H
#define NET_LINGER_H

#include "base/list.h"
#include "net/loop.h"

/* close() with unread input makes the kernel send a reset, and a reset lets the peer's kernel throw
 * away bytes of ours that its application has not read yet (RFC 9112 §9.6). So the descriptor waits
 * for the peer's end, at most LINGER_MS; above LINGERS_MAX_N the oldest is closed. */
enum { LINGER_MS = 1000, LINGERS_MAX_N = 4096 };

struct lingers {
    struct loop *loop;
    struct list list; /* oldest first: all wait equally long */
    size_t len;
    struct timer timer;
    struct list done; /* freed at the end of the turn */
    struct task free_done;
};

void lingers_init(struct lingers *all, struct loop *l);
void lingers_fini(struct lingers *all); /* closes all */
void lingers_take(struct lingers *all, int fd);

#endif
