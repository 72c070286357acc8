/* The numbers of `gatehouse status` in the text format of Prometheus, version 0.0.4. */
#ifndef PROC_METRICS_H
#define PROC_METRICS_H

#include "proc/status.h"

/* Appends. The samples of a process have the labels kind, name (of the section) and slot, and there
 * is one process per slot: while a reload exchanges it, the one that serves. Of a process that is
 * busy nothing is told but that. */
void metrics_text(struct buf *out, const struct status_view *v);

#endif
