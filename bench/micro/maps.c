/* What finding an entry costs among 1,000,000: by name and by number. */
#include <stdio.h>
#include <stdlib.h>

#include "base/idmap.h"
#include "base/map.h"
#include "bench/micro/micro.h"

enum { ENTRIES_N = 1000000, STEP = 7919 /* visits them in another order */ };

static char names[ENTRIES_N][16];
static struct map *by_name;
static struct idmap *by_id;

static struct span name_at(size_t i)
{
    return span_of((const uint8_t *)names[i], 10);
}

static void find_name(void *arg, size_t n)
{
    for (size_t i = 0, at = 0; i < n; i++, at = (at + STEP) % ENTRIES_N)
        if (!map_get(by_name, name_at(at)))
            abort();
}

static void find_id(void *arg, size_t n)
{
    for (size_t i = 0, at = 0; i < n; i++, at = (at + STEP) % ENTRIES_N)
        if (!idmap_get(by_id, at + 1))
            abort();
}

int main(void)
{
    by_name = map_new();
    by_id = idmap_new();
    for (size_t i = 0; i < ENTRIES_N; i++)
        snprintf(names[i], sizeof names[i], "user%06zu", i);
    uint64_t begin = micro_now_ns();
    for (size_t i = 0; i < ENTRIES_N; i++)
        map_set(by_name, name_at(i), names[i]);
    micro_tell("map, set by name, up to 1,000,000", ENTRIES_N, begin, micro_now_ns());
    micro_time("map, get by name among 1,000,000", 0, find_name, NULL);

    begin = micro_now_ns();
    for (size_t i = 0; i < ENTRIES_N; i++)
        idmap_set(by_id, i + 1, names[i]);
    micro_tell("idmap, set, up to 1,000,000", ENTRIES_N, begin, micro_now_ns());
    micro_time("idmap, get among 1,000,000", 0, find_id, NULL);

    begin = micro_now_ns();
    for (size_t i = 0; i < ENTRIES_N; i++)
        idmap_remove(by_id, i + 1);
    micro_tell("idmap, remove", ENTRIES_N, begin, micro_now_ns());
    map_free(by_name);
    idmap_free(by_id);
}
