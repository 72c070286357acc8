/* A map from holder to count; who is not counted takes no memory. */
#include "net/addr_counts.h"

#include "base/idmap.h"

static void set(struct addr_counts *t, const struct addr *a, size_t n)
{
    if (n > 0)
        idmap_set(t->by_holder, addr_holder(a), (void *)(uintptr_t)n);
    else
        idmap_remove(t->by_holder, addr_holder(a));
}

void addr_counts_init(struct addr_counts *t)
{
    t->by_holder = idmap_new();
}

void addr_counts_fini(struct addr_counts *t)
{
    if (t->by_holder)
        idmap_free(t->by_holder);
    t->by_holder = NULL;
}

size_t addr_counts_of(const struct addr_counts *t, const struct addr *a)
{
    return (uintptr_t)idmap_get(t->by_holder, addr_holder(a));
}

void addr_counts_add(struct addr_counts *t, const struct addr *a)
{
    set(t, a, addr_counts_of(t, a) + 1);
}

void addr_counts_remove(struct addr_counts *t, const struct addr *a)
{
    set(t, a, addr_counts_of(t, a) - 1);
}
