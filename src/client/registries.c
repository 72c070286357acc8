/* A registry that does not answer must cost neither the call (the next one is asked in time) nor
 * every call (after a failure the old list is believed for a while). */
#include "client/registries.h"

#include <gw/err.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/span.h"
#include "client/lookup.h"

enum { RETRY_MS = 5000 };

void registries_fini(struct registries *r)
{
    for (size_t i = 0; i < r->addresses.len; i++)
        mem_free(r->addresses.at[i]);
    vec_fini(&r->addresses);
    addr_book_fini(&r->book);
}

/* "host:port" with a port from 1 to 65535. */
static bool is_usable(struct span address)
{
    uint64_t port;
    ptrdiff_t colon = -1;

    for (size_t i = 0; i < address.len; i++)
        if (address.at[i] == ':')
            colon = (ptrdiff_t)i;
    return colon > 0 && span_to_u64(span_skip(address, (size_t)colon + 1), &port) && port >= 1 &&
           port <= UINT16_MAX;
}

bool registries_add(struct registries *r, const char *list)
{
    struct span rest = span_str(list);

    while (rest.len > 0) {
        struct span address = span_trim(span_cut(&rest, ','));
        if (!is_usable(address))
            return false;
        vec_push(&r->addresses, mem_strndup(address.at, address.len));
    }
    return r->addresses.len > 0;
}

/* What is left until the deadline, in equal parts for those not asked yet. */
static uint64_t share_until_ms(uint64_t deadline_ms, size_t left_n)
{
    uint64_t now = clock_mono_ms();

    return deadline_ms > now ? now + (deadline_ms - now) / left_n : now;
}

static int ask_each(struct registries *r, const char *secret, uint64_t deadline_ms)
{
    size_t n = r->addresses.len;
    int rc = GW_ENOREGISTRY;

    for (size_t i = 0; i < n; i++) {
        size_t pos = (r->first + i) % n;
        rc = lookup_gateways(r->addresses.at[pos], secret, r->tls,
                             share_until_ms(deadline_ms, n - i), &r->book);
        if (rc == 0) {
            r->first = pos;
            break;
        }
    }
    return rc;
}

int registries_refresh(struct registries *r, const char *secret, uint64_t deadline_ms,
                       uint64_t keep_ms)
{
    bool has_list = r->believed_until_ms != 0;

    if (has_list && clock_mono_ms() < r->believed_until_ms)
        return 0;
    int rc = ask_each(r, secret, deadline_ms);
    if (rc < 0 && !has_list)
        return rc == GW_EAUTH ? rc : GW_ENOREGISTRY;
    if (rc < 0 && keep_ms < RETRY_MS)
        keep_ms = RETRY_MS;
    r->believed_until_ms = clock_mono_ms() + keep_ms;
    return rc == 0 ? 1 : 0;
}
