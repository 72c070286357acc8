/* Clients in a gateway's tables without a connection: as many as a test wants. */
#ifndef TEST_PHANTOMS_H
#define TEST_PHANTOMS_H

#include <stdio.h>
#include <stdlib.h>

#include "gateway/state.h"

#define PHANTOM_SESSION "a:1:{i:0;i:%u;}" /* of the id */

/* Adds n clients: with a session, bound to the uid "everybody", in the group "room<id % rooms_n>".
 */
static inline void phantoms_add(struct gateway *g, uint32_t n, uint32_t rooms_n)
{
    char text[64];
    for (uint32_t i = 0; i < n; i++) {
        struct client *c = clients_add(&g->clients);
        int len = snprintf(text, sizeof(text), PHANTOM_SESSION, c->id);
        if (client_set_session(c, span_of(text, (size_t)len)) < 0)
            abort();
        groups_join(&g->uids, c, span_str("everybody"));
        snprintf(text, sizeof(text), "room%u", c->id % rooms_n);
        c->had_groups = true;
        groups_join(&g->groups, c, span_str(text));
    }
}

static inline void phantom_remove(struct gateway *g, struct client *c)
{
    groups_leave_all(&g->uids, c);
    groups_leave_all(&g->groups, c);
    clients_remove(&g->clients, c);
}

/* All of them: before the gateway ends, which would close their connections. */
static inline void phantoms_remove(struct gateway *g)
{
    while (clients_len(&g->clients) > 0) {
        uint32_t pos = 0;
        phantom_remove(g, roster_next(&g->clients.all, &pos));
    }
}

#endif
