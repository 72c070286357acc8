/* The control socket, the master's side: one command line in, a text answer out. */
#ifndef PROC_CTL_H
#define PROC_CTL_H

#include <stdbool.h>

#include "base/compiler.h"
#include "net/conn.h"
#include "net/listener.h"

/* Wire: the caller sends "command words\n"; the answer is text and ends with a line "exit N", where
 * N is an exit status (proc/exit_code.h); then the master closes. At most CTL_SESSIONS_MAX callers
 * at once; a line has at most CTL_LINE_MAX bytes and must come within CTL_LINE_MS. */
enum { CTL_SESSIONS_MAX = 64, CTL_LINE_MAX = 256, CTL_LINE_MS = 5000 };

struct ctl;

/* One caller. It outlives the caller's connection: it stays until ctl_end(), which every command
 * must reach. All calls accept NULL (a reload asked for by a signal has no caller). */
struct ctl_session;

typedef void ctl_command_fn(void *owner, struct ctl_session *s, const char *line);

/* Serves on fd (borrowed until ctl_stop_listening()). NULL: errno. */
struct ctl *ctl_start(struct loop *l, struct conn_pool *conns, int fd, ctl_command_fn *on_command,
                      void *owner) NODISCARD;
void ctl_stop_listening(struct ctl *c);
size_t ctl_sessions_n(const struct ctl *c);
void ctl_free(struct ctl *c); /* drops what is still open; NULL is fine */
/* In a forked child: closes its own descriptors and the callers', frees nothing. */
void ctl_abandon(struct ctl *c);

void ctl_say(struct ctl_session *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void ctl_send(struct ctl_session *s, struct span text);
void ctl_end(struct ctl_session *s, int exit_code);

#endif
