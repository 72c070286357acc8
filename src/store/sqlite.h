/* An SQLite store: a thread of its own does the work, in batches of one transaction each. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "base/compiler.h"
#include "store/call.h"
#include "store/op.h"
#include "store/url.h"

struct sqlite;

/* Starts the thread, which opens the file. url and path (the file, absolute) are borrowed.
 * NULL: errno. */
struct sqlite *sqlite_start(struct store_host host, const struct store_url *url,
                            const char *path) NODISCARD;
/* Finishes what was queued, ends the thread and waits for it; a database that fails is not tried
 * for each of the queued batches. What still waits fails with GW_EAWAY. Twice is fine. */
void sqlite_stop(struct sqlite *s);
void sqlite_free(struct sqlite *s); /* NULL is fine; stops first */

/* Queues a copy of the operation and suspends until its batch is committed. Errors as <gw/store.h>
 * tells. */
int sqlite_call(struct sqlite *s, struct store_op *op) NODISCARD;

/* What sqlite_call() is made of: on_done comes once from the loop, with the answer in the
 * operation. */
struct sqlite_job;
typedef void sqlite_done_fn(void *owner, int rc, struct store_op *answer);
int sqlite_submit(struct sqlite *s, const struct store_op *op, sqlite_done_fn *on_done, void *owner,
                  struct sqlite_job **out) NODISCARD; /* 0 or GW_EFULL */
/* on_done will not come; only before it came. */
void sqlite_abandon(struct sqlite_job *job);

#endif
