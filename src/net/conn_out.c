/* The memory of a connection's output: there only while something is queued or waited for. */
#include "net/conn_internal.h"

struct conn_out *conn_out_of(struct conn *c)
{
    if (!c->out)
        c->out = pool_take(pool_of(c)->outs);
    return c->out;
}

void conn_out_give_unused(struct conn *c)
{
    const struct conn_out *out = c->out;
    if (!out || out->queue.bytes || out->tail || out->file || c->flags & CONN_WANTS_DRAIN)
        return;
    pool_give(pool_of(c)->outs, c->out);
    c->out = NULL;
}

void conn_out_drop(struct conn *c)
{
    if (!c->out)
        return;
    outq_clear(&c->out->queue, &pool_of(c)->rings);
    conn_file_drop(c);
    chunk_unref(c->out->tail);
    pool_give(pool_of(c)->outs, c->out);
    c->out = NULL;
}
