/* The clients of one gateway process: what is kept per connection, and the table by id. */
#include "gateway/clients.h"

#include <errno.h>
#include <string.h>

#include "base/keyed.h"
#include "base/mem.h"
#include "base/pool.h"

static uint64_t id_of(const void *client)
{
    return ((const struct client *)client)->id;
}

static uint32_t *pos_of(const struct roster_keeper *k, const struct roster *r, struct client *c)
{
    return &c->pos;
}

const struct roster_keeper clients_keeper = {pos_of};

void clients_init(struct clients *t)
{
    *t = (struct clients){.by_id = keyed_new(id_of), .pool = pool_new(sizeof(struct client))};
}

void clients_fini(struct clients *t)
{
    uint32_t pos = 0;
    for (struct client *c = roster_next(&t->all, &pos); c; c = roster_next(&t->all, &pos))
        mem_free(c->session);
    roster_fini(&t->all);
    keyed_free(t->by_id);
    pool_free(t->pool);
}

/* Ids of clients that left are not used again before the wrap, so that a late message for one never
 * reaches another (the original does likewise). */
static uint32_t next_id(struct clients *t)
{
    do {
        t->last_id = t->last_id == UINT32_MAX ? 1 : t->last_id + 1;
    } while (keyed_get(t->by_id, t->last_id));
    return t->last_id;
}

struct client *clients_add(struct clients *t)
{
    struct client *c = pool_take(t->pool);
    c->id = next_id(t);
    c->silent_n = -1;
    keyed_add(t->by_id, c);
    c->pos = roster_add(&t->all, c);
    return c;
}

void clients_remove(struct clients *t, struct client *c)
{
    keyed_remove(t->by_id, c->id);
    roster_remove(&t->all, c->pos, &clients_keeper);
    mem_free(c->session);
    pool_give(t->pool, c);
}

struct client *clients_find(const struct clients *t, uint32_t id)
{
    return keyed_get(t->by_id, id);
}

uint32_t clients_len(const struct clients *t)
{
    return t->all.live_n;
}

struct span client_session(const struct client *c)
{
    return c->session ? span_of(c->session->at, c->session->len) : span_of(NULL, 0);
}

int client_set_session(struct client *c, struct span bytes)
{
    struct session *fresh = NULL;
    if (bytes.len > 0) {
        fresh = mem_try_alloc(sizeof(*fresh) + bytes.len);
        if (!fresh)
            return -ENOMEM;
        fresh->len = (uint32_t)bytes.len;
        memcpy(fresh->at, bytes.at, bytes.len);
    }
    mem_free(c->session);
    c->session = fresh;
    return 0;
}
