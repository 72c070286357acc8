/* What one gateway holds, as far as this side knows: which groups and uids it need not be asked
 * for.
 */
#include "mesh/holdings.h"

#include <gw/err.h>

/* Beyond it a gateway is too slow with its answers to be worth the memory. */
enum { FRESH_MAX = 65536 };

void holdings_fini(struct holdings *h)
{
    for (size_t i = 0; i < INTEREST_KINDS; i++) {
        nameset_fini(&h->kinds[i].told);
        nameset_fini(&h->kinds[i].fresh);
        nameset_fini(&h->kinds[i].marked);
    }
    *h = (struct holdings){0};
}

bool holdings_may_have(const struct holdings *h, enum interest_kind kind, struct span name)
{
    const struct holdings_kind *k = &h->kinds[kind];

    return !k->is_known || h->has_missed || h->has_missed_marked || nameset_has(&k->told, name) ||
           nameset_has(&k->fresh, name) || nameset_has(&k->marked, name);
}

static void hear(struct holdings_kind *k, const struct interest_entry *e)
{
    switch (e->word) {
    case INTEREST_HELD:
        nameset_add(&k->told, e->name);
        break;
    case INTEREST_GONE:
        nameset_remove(&k->told, e->name);
        break;
    case INTEREST_UNKNOWN:
        nameset_fini(&k->told);
        k->is_known = false;
        break;
    case INTEREST_KNOWN:
        k->is_known = true;
        break;
    }
}

int holdings_hear(struct holdings *h, struct span body)
{
    struct interest_entry e;
    int rc;

    while ((rc = interest_next(&body, &e)) > 0)
        hear(&h->kinds[e.kind], &e);
    return rc;
}

bool holdings_put_in(struct holdings *h, enum interest_kind kind, struct span name)
{
    struct nameset *fresh = &h->kinds[kind].fresh;

    if (fresh->len < FRESH_MAX)
        nameset_add(fresh, name);
    else
        h->has_missed = true;
    h->is_any_fresh = true;
    return !h->is_marked;
}

bool holdings_miss(struct holdings *h)
{
    h->has_missed = true;
    h->is_any_fresh = true;
    return !h->is_marked;
}

bool holdings_mark(struct holdings *h)
{
    if (h->is_marked || !h->is_any_fresh)
        return false;
    for (size_t i = 0; i < INTEREST_KINDS; i++) {
        struct holdings_kind *k = &h->kinds[i];
        k->marked = k->fresh; /* it was empty, as no mark was under way */
        k->fresh = (struct nameset){0};
    }
    h->has_missed_marked = h->has_missed;
    h->has_missed = false;
    h->is_any_fresh = false;
    h->is_marked = true;
    return true;
}

bool holdings_marked(struct holdings *h)
{
    for (size_t i = 0; i < INTEREST_KINDS; i++)
        nameset_fini(&h->kinds[i].marked);
    h->has_missed_marked = false;
    h->is_marked = false;
    return h->is_any_fresh;
}

size_t holdings_bytes(const struct holdings *h)
{
    size_t bytes = 0;

    for (size_t i = 0; i < INTEREST_KINDS; i++)
        bytes += nameset_bytes(&h->kinds[i].told) + nameset_bytes(&h->kinds[i].fresh) +
                 nameset_bytes(&h->kinds[i].marked);
    return bytes;
}
