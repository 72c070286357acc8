/* Slots stand in two rings: in the line of their connection, and in the query that made them. */
#include "mesh/query.h"

#include <gw/err.h>

#include "base/mem.h"

/* What is told of one slot may end others, but the wait ends here: its stack is the query's. */
static void give_up(struct timer *t)
{
    struct query *q = CONTAINER_OF(t, struct query, deadline);
    struct co *co = q->co;

    q->co = NULL;
    while (!list_is_empty(&q->slots)) {
        struct query_slot *slot = CONTAINER_OF(q->slots.next, struct query_slot, in_query);
        list_remove(&slot->in_query);
        slot->query = NULL;
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a slot is met once. */
        slot->target->rc = GW_ETIMEOUT;
        slot->target = NULL;
        if (slot->on_late)
            slot->on_late(slot, slot->owner);
    }
    fibers_resume(q->fibers, co);
}

void query_init(struct query *q, struct loop *l, struct fibers *f)
{
    *q = (struct query){.loop = l, .fibers = f, .deadline = {.fire = give_up}};
    list_init(&q->slots);
}

struct query_slot *query_expect(struct query *q, struct fanout_target *target, struct list *line)
{
    struct query_slot *slot = mem_zalloc(sizeof *slot);

    slot->query = q;
    slot->target = target;
    list_append(&q->slots, &slot->in_query);
    list_append(line, &slot->in_line);
    return slot;
}

void query_wait(struct query *q)
{
    if (list_is_empty(&q->slots))
        return;
    q->co = fibers_self(q->fibers);
    timer_start(q->loop, &q->deadline, QUERY_TIMEOUT_MS);
    fibers_wait(q->fibers);
    timer_stop(q->loop, &q->deadline);
}

/* Out of the line and freed; the query, or NULL when nobody waits. */
static struct query *leave(struct query_slot *slot)
{
    struct query *q = slot->query;

    list_remove(&slot->in_line);
    list_remove(&slot->in_query);
    mem_free(slot);
    return q;
}

static void go_on(struct query *q)
{
    if (q && q->co && list_is_empty(&q->slots))
        fibers_resume(q->fibers, q->co);
}

static void keep(struct query_slot *slot, struct span value)
{
    struct buf *answer = &slot->target->answer;

    slot->is_too_big = slot->is_too_big || answer->len + value.len > PHP_BYTES_MAX;
    if (slot->is_too_big)
        buf_fini(answer);
    else
        buf_put_span(answer, value);
}

void query_part(struct list *line, struct span value)
{
    struct query_slot *slot = CONTAINER_OF(line->next, struct query_slot, in_line);

    if (slot->query)
        keep(slot, value);
}

void query_answer(struct list *line, struct span value)
{
    struct query_slot *slot = CONTAINER_OF(line->next, struct query_slot, in_line);

    if (slot->query) {
        keep(slot, value);
        slot->target->rc = slot->is_too_big ? GW_ETOOBIG : 0;
    }
    go_on(leave(slot));
}

void query_fail(struct list *line, int rc)
{
    struct query_slot *slot = CONTAINER_OF(line->next, struct query_slot, in_line);

    if (slot->query)
        slot->target->rc = rc;
    go_on(leave(slot));
}
