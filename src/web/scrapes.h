/* Metrics for Prometheus: who may have them, and one answer of the master for all who ask at once.
 */
#ifndef WEB_SCRAPES_H
#define WEB_SCRAPES_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/span.h"
#include "net/addr.h"
#include "net/cidr.h"
#include "net/loop.h"
#include "proc/role.h"
#include "proto/http.h"
#include "web/web_conf.h"

enum {
    SCRAPES_FRESH_MS = 1000,              /* so long an answer serves whoever comes next */
    SCRAPES_TEXT_MAX_BYTES = 1000 * 1000, /* 2 to 3 KB per process of the server */
    SCRAPES_WAIT_MS = 5 * 1000 /* for the master, which itself waits a second for processes */
};

/* text: borrowed for the call; empty: the master did not answer. */
typedef void scrapes_done_fn(void *owner, struct span text);

/* One who asks; the caller's. */
struct scrape {
    struct list node; /* while it waits */
    bool is_waiting;
    scrapes_done_fn *on_done;
    void *owner;
};

struct scrapes {
    struct role_env *env;
    const char *path; /* NULL: nobody gets any */
    struct cidr_set allowed;
    struct buf text; /* the last answer */
    uint64_t text_ms;
    bool has_text;
    struct list waiting;
    struct timer deadline; /* runs while the master is asked */
};

/* Borrows env and conf. */
void scrapes_init(struct scrapes *all, struct role_env *env, const struct web_conf *conf);
void scrapes_fini(struct scrapes *all); /* nobody waits any more */

/* Whether a request, if it is a proper one, is for metrics. */
bool scrapes_serves(const struct scrapes *all, const struct http_request *r);
bool scrapes_allows(const struct scrapes *all, const struct addr *peer);
/* on_done follows once, perhaps from this call, unless scrape_stop() comes before. */
void scrape_start(struct scrapes *all, struct scrape *s, scrapes_done_fn *on_done, void *owner);
void scrape_stop(struct scrape *s); /* twice is fine, and before it was started */
/* The master's answer, borrowed; to nobody's question it is kept as well. */
void scrapes_take(struct scrapes *all, struct span text);

#endif
