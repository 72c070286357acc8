/* What a module answers to a handshake, and the body of CMD_JUDGE that it becomes. */
#ifndef WORKER_VERDICT_H
#define WORKER_VERDICT_H

#include <gw/module.h>

#include "base/buf.h"

struct gw_answer {
    struct gw_request *request;
    int status; /* 0: yes */
    struct buf text;
    struct buf lines;       /* headers */
    struct buf subprotocol; /* empty: none */
};

void verdict_put(const struct gw_answer *a, struct buf *out); /* appended */
void verdict_fini(struct gw_answer *a);

#endif
