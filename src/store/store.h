/* The stores of a process: opened by URL, whatever kind they are, and ended together. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <gw/store.h>

#include "base/compiler.h"
#include "base/conf.h"
#include "base/vec.h"
#include "store/call.h"

struct stores {
    struct store_host host;
    const struct conf *conf; /* NULL: relative paths are below the working directory */
    struct vec all;          /* struct gw_store * */
    bool is_stopped;
};

void stores_init(struct stores *s, struct store_host host, const struct conf *conf);
/* The body of gw_store_open(). */
struct gw_store *stores_open(struct stores *s, const char *url) NODISCARD;
/* What SQLite stores hold is written, which blocks while a batch is under way; Redis connections
 * end. Later calls fail with GW_EAWAY. Twice is fine. */
void stores_stop(struct stores *s);
void stores_fini(struct stores *s); /* stops first; nobody may be inside a call */

/* 0, or GW_ECONF with one line for a person in `error`. */
int store_check_url(const char *url, struct buf *error) NODISCARD;

#endif
