/* Stores: counters, values and short histories in SQLite or Redis, for business code. */
#ifndef GW_STORE_H
#define GW_STORE_H

#include <gw/err.h>
#include <gw/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One interface for both, so that the same module runs on one host with a file and on many with
 * Redis:
 *
 *     store = gw_store_open(gw, "sqlite:var/chat.db");           in on_start
 *     gw_store_incr(store, gw_str("PV:ROOM:1"), gw_str("ROOM_TOTAL_PV"), 1, &views);
 *
 * A key names either fields with values (a Redis hash) or a list. Keys, fields and values are bytes
 * of any kind, together 1 MiB at most per call (GW_ETOOBIG).
 *
 * Every call suspends the callback until the store has answered, the deadline has passed
 * (GW_ETIMEOUT) or the store is found to be away; the process serves others meanwhile. Outside a
 * callback: GW_ECONTEXT. Further errors:
 *   GW_EAWAY     it cannot be reached; answered at once. It is tried again in the background, and
 *                the log says when it goes and when it is back.
 *   GW_EFULL     too many calls wait already; nothing was done.
 *   GW_EREFUSED  the store said no: another kind of value under this key, no number to count in…
 *   -ENOSPC, -EBUSY, -EIO…  SQLite: the disk is full, the database is locked, …
 * After GW_ETIMEOUT and after GW_EAWAY it is unknown whether the call took effect. */
struct gw_store;

/* url is one of
 *   - sqlite:PATH, relative paths below the folder of the main config file
 *   - redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]
 *   - redis+unix://[[USER]:PASSWORD@]PATH[?db=N]
 *
 * each with ?timeout_ms=N for the deadline of a call (1,000; 10 to 60,000). Bytes are written as
 * %XX where they would mean something else.
 *
 * Does not wait, and a store that is away is no error. NULL: the URL cannot be used; the log says
 * why. The same URL again gives the same store. It lives as long as the process; what was called is
 * finished before that ends. Workers and services only: libgatehouse has no stores. */
GW_API struct gw_store *gw_store_open(struct gw *gw, const char *url);

/* ---- fields ---- */

/* Adds `by` to a field, which counts from 0. *value, unless NULL, gets the sum. */
GW_API int gw_store_incr(struct gw_store *s, struct gw_bytes key, struct gw_bytes field, int64_t by,
                         int64_t *value);
GW_API int gw_store_set(struct gw_store *s, struct gw_bytes key, struct gw_bytes field,
                        struct gw_bytes value);
/* The value, NUL-terminated behind *len (unless NULL), freed with gw_free() of <gw/json.h>. NULL
 * with *rc: GW_ENOTFOUND or another error. */
GW_API char *gw_store_get(struct gw_store *s, struct gw_bytes key, struct gw_bytes field,
                          size_t *len, int *rc);
/* How many fields the key has; 0 when there is none. >= 0 or an error. */
GW_API int64_t gw_store_count(struct gw_store *s, struct gw_bytes key);

/* ---- lists ---- */

struct gw_values {
    size_t n;
    const struct gw_bytes *values; /* each NUL-terminated behind its len */
};

/* Adds a value at the end and drops the oldest, so that keep_n (1 to 100,000) stay. */
GW_API int gw_store_append(struct gw_store *s, struct gw_bytes list, struct gw_bytes value,
                           size_t keep_n);
/* The last n (at most 100,000) values, oldest first; none is no error. 0 with *out set, freed with
 * gw_values_free(), else an error with *out NULL. */
GW_API int gw_store_last(struct gw_store *s, struct gw_bytes list, size_t n,
                         const struct gw_values **out);
GW_API void gw_values_free(const struct gw_values *v); /* NULL is fine */

/* ---- any Redis command ---- */

enum gw_reply_type {
    GW_REPLY_NULL,
    GW_REPLY_INT,
    GW_REPLY_TEXT, /* bytes or a status such as OK */
    GW_REPLY_ERROR,
    GW_REPLY_ARRAY,
};

struct gw_reply {
    enum gw_reply_type type;
    int64_t number;       /* GW_REPLY_INT */
    struct gw_bytes text; /* GW_REPLY_TEXT, GW_REPLY_ERROR; NUL-terminated behind its len */
    size_t n;             /* GW_REPLY_ARRAY */
    const struct gw_reply *items;
};

/* Sends a command of argc words (1 to 256, else -EINVAL). 0 with *out set, freed with
 * gw_reply_free(), also for an error of Redis (GW_REPLY_ERROR); else an error with *out NULL;
 * -ENOTSUP when the store is not Redis. Not for commands that block, subscribe or change the
 * database: the connection is shared. */
GW_API int gw_redis(struct gw_store *s, size_t argc, const struct gw_bytes *argv,
                    const struct gw_reply **out);
GW_API void gw_reply_free(const struct gw_reply *r); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
