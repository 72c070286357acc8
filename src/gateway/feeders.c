/* Clients that are not read from, because the queue that they feed is full. */
#include "gateway/feeders.h"

#include "base/mem.h"
#include "chan/chan.h"
#include "gateway/clients.h"
#include "net/conn.h"

void feeders_fini(struct feeders *f)
{
    mem_free(f->ids);
    *f = (struct feeders){0};
}

void feeders_add(struct feeders *f, const struct client *c)
{
    if (f->len == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 16;
        f->ids = mem_realloc(f->ids, f->cap * sizeof(*f->ids));
    }
    f->ids[f->len++] = c->id;
}

void feeders_pause(struct feeders *f, struct client *c)
{
    if (c->is_paused)
        return;
    feeders_add(f, c);
    c->is_paused = true;
    conn_pause(chan_conn(c->chan));
}

void feeders_resume_all(struct feeders *f, const struct clients *clients)
{
    for (size_t i = 0; i < f->len; i++) {
        struct client *c = clients_find(clients, f->ids[i]);
        if (!c || !c->is_paused)
            continue;
        c->is_paused = false;
        conn_resume(chan_conn(c->chan));
    }
    f->len = 0;
}
