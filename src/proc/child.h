/* The life of a role process: from fork() to exit, with its line to the master. */
#ifndef PROC_CHILD_H
#define PROC_CHILD_H

#include "base/activity.h"
#include "base/compiler.h"
#include "proc/group.h"

/* Runs in the new process. Closes what belongs to the master, gives up privileges, starts the role
 * on a loop of its own and serves until the role has finished.
 *
 * The line carries short text lines. From the master: status, connections TAB serial, drain, stop,
 * reopen, metrics TAB text for each line of them, metrics_end. To the master: ready, status TAB
 * row, row TAB serial TAB row, end TAB serial, draining, metrics (rows: proc/row.h). When the
 * master dies the line ends: the process then drains, and is ended by an alarm after
 * graceful_timeout even if it is stuck in an endless loop. */
void child_run(struct fleet *f, struct slot *s, const char *artifact, int line_fd,
               struct activity *activity) NORETURN;

#endif
