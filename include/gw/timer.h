/* Time for business code: sleeping and timers. */
#ifndef GW_TIMER_H
#define GW_TIMER_H

#include <gw/err.h>
#include <gw/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Suspends this callback for that many milliseconds; the process goes on. 0, or GW_ECONTEXT outside
 * a callback. In an outside program it blocks. */
GW_API int gw_sleep(struct gw *gw, uint64_t ms);

struct gw_timer;
/* Calls fn(gw, arg) on a coroutine after delay_ms, and then every delay_ms when is_repeating; a
 * call that still runs makes the next one wait. Workers and services only; NULL otherwise. Does not
 * suspend. The timer lives until it fired (not repeating), was stopped, or the process ends. */
GW_API struct gw_timer *gw_timer_start(struct gw *gw, uint64_t delay_ms, bool is_repeating,
                                       void (*fn)(struct gw *gw, void *arg), void *arg);
GW_API void gw_timer_stop(struct gw *gw, struct gw_timer *t); /* NULL is fine; not after it fired */

#ifdef __cplusplus
}
#endif
#endif
