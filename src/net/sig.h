/* Signals as loop events: handlers only write a byte, the loop calls back. */
#ifndef NET_SIG_H
#define NET_SIG_H

#include <signal.h>

#include "base/compiler.h"
#include "net/loop.h"

struct sig; /* one per process: the second of two process-wide states we allow */

typedef void sig_fn(void *owner, int signal_number);

/* Watches the listed signals (ended by 0); SIGPIPE is ignored from here on. NULL: errno. */
struct sig *sig_start(struct loop *l, const int *signals, sig_fn *on_signal, void *owner) NODISCARD;
void sig_stop(struct sig *s); /* default actions again */
/* The same in a forked child, which also lets go of its parent's pipe; frees nothing. */
void sig_abandon(struct sig *s);

/* What a thread beside the loop blocks, to be set around its creation: signals belong to the loop's
 * thread, but for the one by which a call is refused (proc/sandbox.c), which kills the process
 * where it is blocked. */
void sig_mask_of_threads(sigset_t *out);

#endif
