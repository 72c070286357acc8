/* The table that a start prints on the terminal. */
#ifndef PROC_BANNER_H
#define PROC_BANNER_H

#include "base/buf.h"
#include "proc/fleet.h"

void banner_text(struct buf *out, const struct fleet *f);

#endif
