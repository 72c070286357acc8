/* The registries of an outside program, and the gateways that one of them named last. */
#ifndef CLIENT_REGISTRIES_H
#define CLIENT_REGISTRIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/vec.h"
#include "client/addr_book.h"

struct peer_tls;

/* Zero-initialised has none. */
struct registries {
    struct vec addresses; /* char * */
    size_t first;         /* the one that answered last is asked first */
    struct addr_book book;
    const struct peer_tls *tls; /* NULL: plain */
    uint64_t believed_until_ms; /* on clock_mono_ms(); 0: there is no list */
};

void registries_fini(struct registries *r);
/* "host:port" with commas between. False when one of them is unusable or there is none. */
bool registries_add(struct registries *r, const char *list) NODISCARD;
/* Looks the list up unless it is still believed, for keep_ms from then on. Each registry gets its
 * share of the time left. When none answers, the old list is kept and believed a little longer:
 * what was right a second ago mostly still is, and a dead gateway shows itself.
 * 1 the list is new, 0 it is the old one, GW_EAUTH or GW_ENOREGISTRY: there never was any. */
int registries_refresh(struct registries *r, const char *secret, uint64_t deadline_ms,
                       uint64_t keep_ms) NODISCARD;

#endif
