/* One entry per name; client ids are collected as text, ready to be handed out. */
#include "client/gather.h"

#include <stdio.h>

#include "base/mem.h"

struct gathered {
    uint64_t count;
    struct buf ids;      /* CLIENT_ID_LEN + 1 bytes each */
    struct map *members; /* names; NULL while there are none */
};

void gather_init(struct gather *g, struct breath *breath)
{
    g->names = map_new();
    g->breath = breath;
}

void gather_fini(struct gather *g)
{
    size_t pos = 0;
    void *value;
    struct span key;

    while (map_next(g->names, &pos, &key, &value)) {
        struct gathered *e = value;
        breath_step(g->breath);
        buf_fini(&e->ids);
        map_free(e->members);
        mem_free(e);
    }
    map_free(g->names);
    g->names = NULL;
}

static struct gathered *entry_of(struct gather *g, struct span name)
{
    struct gathered *e = map_get(g->names, name);

    if (!e) {
        e = mem_zalloc(sizeof *e);
        map_set(g->names, name, e);
    }
    return e;
}

void gather_name(struct gather *g, struct span name)
{
    (void)entry_of(g, name);
}

void gather_count(struct gather *g, struct span name, uint64_t count)
{
    entry_of(g, name)->count += count;
}

bool gather_id_text(struct gateway_at at, int64_t connection_id, char out[CLIENT_ID_LEN + 1])
{
    if (connection_id < 0 || connection_id > UINT32_MAX)
        return false;
    client_id_text(
        (struct client_id){.ip = at.ip, .port = at.port, .connection_id = (uint32_t)connection_id},
        out);
    return true;
}

void gather_client(struct gather *g, struct span name, struct gateway_at at, int64_t connection_id)
{
    char id[CLIENT_ID_LEN + 1];

    if (!gather_id_text(at, connection_id, id))
        return;
    struct gathered *e = entry_of(g, name);
    buf_put(&e->ids, id, sizeof id);
    e->count++;
}

void gather_member(struct gather *g, struct span name, struct span member)
{
    struct gathered *e = entry_of(g, name);

    if (!e->members)
        e->members = map_new();
    if (map_get(e->members, member))
        return;
    map_set(e->members, member, e);
    e->count++;
}

size_t gather_len(const struct gather *g)
{
    return map_len(g->names);
}

static struct span number_text(int64_t number, char digits[24])
{
    int len = snprintf(digits, 24, "%lld", (long long)number);

    return span_of(digits, (size_t)len);
}

struct span gather_key_text(const struct php_key *key, char digits[24])
{
    return key->is_int ? number_text(key->num, digits) : key->text;
}

struct span gather_value_text(const struct php_value *v, char digits[24])
{
    if (php_type(v) == PHP_INT)
        return number_text(php_int(v), digits);
    return php_type(v) == PHP_STRING ? php_string(v) : span_of(NULL, 0);
}

static struct gw_bytes own_name(struct result *r, struct span name)
{
    return gw_bytes(arena_text(&r->arena, name), name.len);
}

void gather_names(const struct gather *g, struct result *r)
{
    struct gw_bytes *names = arena_alloc(&r->arena, gather_len(g) * sizeof *names);
    size_t pos = 0;
    size_t n = 0;
    struct span key;
    void *value;

    while (map_next(g->names, &pos, &key, &value)) {
        breath_step(g->breath);
        names[n++] = own_name(r, key);
    }
    r->list.names.names = names;
    r->list.names.n = n;
}

void gather_clients(const struct gather *g, struct result *r)
{
    struct gw_name_clients *at = arena_alloc(&r->arena, gather_len(g) * sizeof *at);
    size_t pos = 0;
    size_t n = 0;
    struct span key;
    void *value;

    while (map_next(g->names, &pos, &key, &value)) {
        const struct gathered *e = value;
        breath_step(g->breath);
        char(*ids)[CLIENT_ID_LEN + 1] = arena_alloc(&r->arena, e->ids.len);
        if (e->ids.len > 0)
            memcpy(ids, e->ids.at, e->ids.len);
        at[n++] = (struct gw_name_clients){
            .name = own_name(r, key),
            .n = e->ids.len / sizeof ids[0],
            .client_ids = (const char(*)[CLIENT_ID_LEN + 1]) ids,
        };
    }
    r->list.name_clients.at = at;
    r->list.name_clients.n = n;
}

void gather_counts(const struct gather *g, struct result *r)
{
    struct gw_name_count *at = arena_alloc(&r->arena, gather_len(g) * sizeof *at);
    size_t pos = 0;
    size_t n = 0;
    struct span key;
    void *value;

    while (map_next(g->names, &pos, &key, &value)) {
        const struct gathered *e = value;
        breath_step(g->breath);
        at[n++] = (struct gw_name_count){.name = own_name(r, key), .count = e->count};
    }
    r->list.name_counts.at = at;
    r->list.name_counts.n = n;
}

static const struct gw_bytes *own_members(struct result *r, const struct map *members, size_t *n,
                                          struct breath *breath)
{
    struct gw_bytes *names = arena_alloc(&r->arena, map_len(members) * sizeof *names);
    size_t pos = 0;
    struct span key;
    void *value;

    while (map_next(members, &pos, &key, &value)) {
        breath_step(breath);
        names[(*n)++] = own_name(r, key);
    }
    return names;
}

void gather_members(const struct gather *g, struct result *r)
{
    struct gw_name_names *at = arena_alloc(&r->arena, gather_len(g) * sizeof *at);
    size_t pos = 0;
    size_t n = 0;
    struct span key;
    void *value;

    while (map_next(g->names, &pos, &key, &value)) {
        const struct gathered *e = value;
        breath_step(g->breath);
        at[n].name = own_name(r, key);
        at[n].names = own_members(r, e->members, &at[n].n, g->breath);
        n++;
    }
    r->list.name_names.at = at;
    r->list.name_names.n = n;
}
