/* The names that this process has just put clients of other hosts into: their gateways may not have
 * subscribed to them yet. */
#include "mesh/recent.h"

#include "base/hash.h"

static uint64_t name_of(enum interest_kind kind, struct span name)
{
    return hash_bytes(hash_seed(), name) + (uint64_t)kind;
}

static void forget_old(struct recent *r, uint64_t now_ms)
{
    while (r->n > 0 && r->entries[r->first].until_ms <= now_ms) {
        r->first = (r->first + 1) % RECENT_MAX;
        r->n--;
    }
}

void recent_add(struct recent *r, enum interest_kind kind, struct span name, struct gateway_at at,
                uint64_t now_ms)
{
    forget_old(r, now_ms);
    if (r->n == RECENT_MAX) {
        r->overflow_ms = now_ms + RECENT_MS;
        return;
    }
    r->entries[(r->first + r->n) % RECENT_MAX] = (struct recent_entry){
        .name = name_of(kind, name), .at = at, .until_ms = now_ms + RECENT_MS};
    r->n++;
}

bool recent_next(struct recent *r, size_t *pos, enum interest_kind kind, struct span name,
                 uint64_t now_ms, struct gateway_at *at)
{
    if (*pos == 0)
        forget_old(r, now_ms);
    if (r->n == 0)
        return false;
    uint64_t wanted = name_of(kind, name);
    while (*pos < r->n) {
        const struct recent_entry *e = &r->entries[(r->first + (*pos)++) % RECENT_MAX];
        if (e->name == wanted) {
            *at = e->at;
            return true;
        }
    }
    return false;
}

bool recent_is_overflown(const struct recent *r, uint64_t now_ms)
{
    return r->overflow_ms > now_ms;
}
