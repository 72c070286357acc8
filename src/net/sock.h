/* Sockets: opening listeners, connecting, options. The only file that names setsockopt(). */
#ifndef NET_SOCK_H
#define NET_SOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "net/addr.h"

/* Non-blocking, close-on-exec TCP listener. With is_shared several processes may bind the same
 * address and the kernel spreads new connections (SO_REUSEPORT). The descriptor or -errno. */
int sock_listen(const struct addr *at, bool is_shared, int backlog) NODISCARD;
/* A UDP socket that is bound there. The descriptor or -errno. */
int sock_listen_udp(const struct addr *at, bool is_shared) NODISCARD;
int sock_listen_unix(const char *path, mode_t mode) NODISCARD; /* removes a dead socket first */
/* Nobody new comes to a TCP listener, but those who have begun to connect are not turned away, as
 * they are when it just stops to listen. Others begin in vain and do it again after a second: time
 * to take the waiting ones, then sock_unlisten(). Ends with sock_listen_again(). 0 or -errno; new
 * kernels want CAP_NET_ADMIN for it. */
int sock_shun(int fd) NODISCARD;
bool sock_is_awaited(int fd); /* a connection waits to be accepted */
/* A TCP listener takes no connections any more, in all processes that have it, but keeps its
 * address; those of the same address that share it get them. Twice is fine. It may listen again:
 * 0 or -errno. */
void sock_unlisten(int fd);
int sock_listen_again(int fd) NODISCARD;
/* Starts connecting; the descriptor (writable when done) or -errno. */
int sock_connect(const struct addr *to) NODISCARD;
int sock_connect_unix(const char *path) NODISCARD;
int sock_error(int fd); /* SO_ERROR as 0 or -errno */
void sock_tune(int fd); /* TCP_NODELAY, keep-alive; all sockets of this file have it */
/* What the kernel takes for a peer that does not read is memory that no limit of ours counts: up to
 * 1.5 MB each on loopback, until all of TCP is short of memory. With this it takes 128 KiB beyond
 * the peer's window, and the rest waits in the connection's own queue. Set on a listener it is
 * inherited by what is accepted. */
void sock_limit_unsent(int fd);
/* For links between hosts. A peer that vanished while bytes for it are on their way, or that takes
 * none, costs its connection after a minute (RFC 5482). Until then what got lost is sent again
 * every second at least, so that a link is as usual soon after a cut; before Linux 6.15 the pauses
 * double, and it takes up to as long again as the cut. Sockets of sock_connect() have it; what is
 * accepted inherits it from its listener. */
void sock_tune_link(int fd);
/* For links on which little is said: a peer that vanished costs its connection within ten seconds.
 * The kernel of one that is merely stuck still answers, and it keeps its connection. Inherited from
 * a listener, too. */
void sock_watch_peer(int fd);
int sock_local(int fd, struct addr *out);
int sock_peer(int fd, struct addr *out);
int sock_queue(int fd, int *unread, int *unsent);             /* SIOCINQ, SIOCOUTQ */
int sock_raise_files(unsigned long want, unsigned long *got); /* RLIMIT_NOFILE towards want */
/* Most connections of one port that this network namespace lets wait (net.core.somaxconn); 0 where
 * it is not told. */
int sock_backlog_max(void);

#endif
