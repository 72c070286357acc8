/* Child processes with a deadline: a program, or a function of the test that may abort. */
#ifndef SUPPORT_SPAWN_H
#define SUPPORT_SPAWN_H

#include "base/buf.h"

enum { SPAWN_TIMED_OUT = -1 };

/* Runs a program to its end; its stdout and stderr are appended to `output` (NULL: dropped).
 * Returns the exit status, 128 + signal as a shell does, or SPAWN_TIMED_OUT after killing it. */
int spawn_wait(char *const argv[], int timeout_ms, struct buf *output);
/* The same for a function in a forked copy of the test, which exits 0 when it returns. */
int spawn_call(void (*fn)(void *arg), void *arg, int timeout_ms, struct buf *output);

#endif
