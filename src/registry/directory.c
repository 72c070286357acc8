/* Who is connected to the registry: gateways with their addresses, workers that hear of them. */
#include "registry/directory.h"

#include <string.h>

#include <gw/err.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "proto/reg.h"

enum { FRAME_BYTES = 64 }; /* the line without its addresses */

void directory_init(struct directory *d)
{
    *d = (struct directory){.is_stale = true};
    list_init(&d->gateways);
    list_init(&d->workers);
}

void directory_fini(struct directory *d)
{
    buf_fini(&d->line);
}

void member_init(struct member *m)
{
    *m = (struct member){0};
    list_init(&m->gateway_node);
    list_init(&m->worker_node);
}

/* Visible ASCII without what JSON escapes to more than two bytes: hosts, ports, paths. */
static bool is_address(const char *address)
{
    size_t len = strlen(address);

    if (len == 0 || len > DIRECTORY_ADDRESS_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        if (address[i] <= ' ' || address[i] > '~')
            return false;
    return true;
}

/* Quotes, comma, and every byte escaped. */
static size_t line_bytes(const char *address)
{
    return 2 * strlen(address) + 3;
}

static void note_change(struct directory *d)
{
    d->version++;
    d->is_stale = true;
}

int directory_add_gateway(struct directory *d, struct member *m, const char *address)
{
    if (!is_address(address))
        return GW_EPROTO;
    size_t before = m->address ? line_bytes(m->address) : 0;
    size_t bytes = d->addresses_bytes - before + line_bytes(address);
    if (bytes > REG_LINE_MAX - FRAME_BYTES)
        return GW_EFULL;
    d->addresses_bytes = bytes;
    if (!m->address) {
        list_append(&d->gateways, &m->gateway_node);
        d->gateways_n++;
    }
    mem_free(m->address);
    m->address = mem_strdup(address);
    note_change(d);
    return 0;
}

void directory_add_worker(struct directory *d, struct member *m)
{
    if (m->is_worker)
        return;
    m->is_worker = true;
    list_append(&d->workers, &m->worker_node);
    d->workers_n++;
}

bool directory_leave(struct directory *d, struct member *m)
{
    bool was_gateway = m->address != NULL;

    if (m->is_worker)
        d->workers_n--;
    m->is_worker = false;
    list_remove(&m->worker_node);
    if (!was_gateway)
        return false;
    d->addresses_bytes -= line_bytes(m->address);
    d->gateways_n--;
    list_remove(&m->gateway_node);
    mem_free(m->address);
    m->address = NULL;
    note_change(d);
    return true;
}

static void write_line(struct directory *d)
{
    struct map *seen = map_new();
    struct vec addresses = {0};

    for (struct list *n = d->gateways.next; n != &d->gateways; n = n->next) {
        struct member *m = CONTAINER_OF(n, struct member, gateway_node);
        if (map_get(seen, span_str(m->address)))
            continue;
        map_set(seen, span_str(m->address), m);
        vec_push(&addresses, m->address);
    }
    buf_clear(&d->line);
    reg_put_broadcast(&d->line, (const char *const *)addresses.at, addresses.len);
    vec_fini(&addresses);
    map_free(seen);
}

struct span directory_line(struct directory *d)
{
    if (d->is_stale)
        write_line(d);
    d->is_stale = false;
    return buf_span(&d->line);
}
