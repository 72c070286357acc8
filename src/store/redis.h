/* A connection to Redis that stays: pipelined commands, deadlines, dialling again by itself. */
#ifndef STORE_REDIS_H
#define STORE_REDIS_H

#include <stdbool.h>
#include <stddef.h>

#include <gw/store.h>

#include "base/compiler.h"
#include "store/call.h"
#include "store/url.h"

struct redis;

/* Begins to connect. The url is borrowed. While the first attempt is under way calls wait for it;
 * afterwards, whenever there is no connection, they fail at once with GW_EAWAY. Attempts repeat
 * after 100 ms, growing to 5 s. The log tells once when it goes and once when it is back. */
struct redis *redis_open(struct store_host host, const struct store_url *url) NODISCARD;
/* What waits fails with GW_EAWAY. NULL is fine. Nobody may be inside a call. */
void redis_free(struct redis *r);
/* Ends what waits with GW_EAWAY and dials no more; later calls fail the same way. */
void redis_stop(struct redis *r);

/* Sends a command and waits for its answer for at most `ms`. After that the connection is dropped,
 * because answers come in order and none would come in time. Errors and *out as gw_redis() tells.
 */
int redis_call(struct redis *r, uint64_t ms, size_t argc, const struct gw_bytes *argv,
               struct gw_reply **out) NODISCARD;

/* Several commands that leave together. */
enum { REDIS_TOGETHER_MAX = 1024 };
struct redis_command {
    size_t argc;
    const struct gw_bytes *argv;
    struct gw_reply *reply; /* freed with gw_reply_free(); NULL: it was not answered */
};
/* Waits for all answers, for at most `ms` together. 0, or the first error: then some may have been
 * answered all the same. n: at most REDIS_TOGETHER_MAX. */
int redis_call_all(struct redis *r, uint64_t ms, struct redis_command *commands,
                   size_t n) NODISCARD;
/* Sends a command whose answer nobody needs. */
int redis_tell(struct redis *r, size_t argc, const struct gw_bytes *argv) NODISCARD;

#endif
