/* What connections of one sort have in common: limits, callbacks, transport, pool. */
#include "base/mem.h"
#include "net/conn_internal.h"

/* A listener's connections find their kind among the first; where every connection has limits of
 * its own, searching them all would not pay. */
enum { KINDS_LOOKED_AT = 8 };

static struct conn_kind *find(struct conn_pool *p, const struct conn_conf *conf,
                              const struct conn_events *events, const struct transport *transport)
{
    int looked_n = 0;
    for (struct list *at = p->kinds.next; at != &p->kinds && looked_n < KINDS_LOOKED_AT;
         at = at->next, looked_n++) {
        struct conn_kind *k = CONTAINER_OF(at, struct conn_kind, node);
        if (k->conf == conf && k->events == events && k->transport == transport)
            return k;
    }
    return NULL;
}

struct conn_kind *conn_kind_take(struct conn_pool *p, const struct conn_conf *conf,
                                 const struct conn_events *events,
                                 const struct transport *transport)
{
    struct conn_kind *k = find(p, conf, events, transport);
    if (!k) {
        k = mem_alloc(sizeof *k);
        *k = (struct conn_kind){.pool = p, .conf = conf, .events = events, .transport = transport};
        list_append(&p->kinds, &k->node);
    }
    k->conns_n++;
    return k;
}

/* Nobody else may find it: conf may be freed now, and another lie at its address. */
void conn_kind_give(struct conn_kind *k)
{
    if (--k->conns_n > 0)
        return;
    list_remove(&k->node);
    mem_free(k);
}
