/* Callbacks of one process that wait for one another. */
#ifndef GW_WAIT_H
#define GW_WAIT_H

#include <gw/err.h>
#include <gw/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A place where one callback waits until another one wakes it. Zero-filled before its first use; it
 * may lie on the stack of the callback that waits. */
struct gw_waiter {
    void *waiting; /* private */
    bool is_woken; /* private */
};

/* Suspends until gw_wake(); not at all when that has been already. Each wake ends one wait. 0, or
 * GW_ECONTEXT outside a callback, or when somebody waits there. */
GW_API int gw_wait(struct gw *gw, struct gw_waiter *w);
/* Whoever waits there goes on, after this callback has returned or suspended. Does not suspend. */
GW_API void gw_wake(struct gw *gw, struct gw_waiter *w);

#ifdef __cplusplus
}
#endif
#endif
