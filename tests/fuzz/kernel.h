/* A kernel of sockets in memory, on which a whole role runs inside a fuzz target. */
#ifndef FUZZ_KERNEL_H
#define FUZZ_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "net/addr.h"

/* The target is linked with --wrap for every call about sockets, epoll and close (mk/tests.mk), so
 * that the role's own code is unchanged, nothing blocks, and a run depends on its input alone.
 * Numbers of descriptors are not given out twice in a run: whoever uses one that is closed, writes
 * behind a shutdown, or leaves one open, aborts. Time is that of the clock, which stands still
 * until kernel_pass() moves it. */

/* One connection, as those outside of the process hold it. Lives until kernel_fini(). */
struct cable;

void kernel_init(void);
void kernel_fini(void); /* the process must have closed everything but its listeners */
/* For a process that lives through several runs: forgets the newest connections that are over,
 * whose numbers are given out again. */
void kernel_recycle(void);
void kernel_pass(uint64_t ms);   /* time passes */
void kernel_set_grain(size_t n); /* a call moves at most so many bytes; 0: all */
void kernel_fail_accepts(int error, unsigned times); /* the next ones fail with that errno */

int kernel_listen(uint16_t port) NODISCARD; /* a descriptor for the process; 127.0.0.1 */
/* Somebody outside connects, from that port of 127.0.0.1. NULL: no more in this run. */
struct cable *kernel_dial(int listener, uint16_t from_port);
/* A connection that the process has begun and nobody has answered yet; NULL: there is none. */
struct cable *kernel_dialled(void);
uint16_t cable_port(const struct cable *c); /* to which it was dialled */
void cable_answer(struct cable *c, bool is_accepted);

void cable_say(struct cable *c, const void *at, size_t len); /* to the process */
void cable_end(struct cable *c);                             /* FIN, but it listens on */
void cable_leave(struct cable *c);                           /* FIN, and nobody is there */
void cable_reset(struct cable *c);                           /* RST: what was said is lost */
/* How many bytes the process can still write before somebody reads. */
void cable_set_room(struct cable *c, size_t bytes);
struct buf *cable_heard(struct cable *c);  /* from the process; the reader takes bytes out of it */
bool cable_is_over(const struct cable *c); /* the process has closed it, or half of it */

#endif
