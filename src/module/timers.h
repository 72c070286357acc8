/* Timers of business code: functions that run on a coroutine when their time has come. */
#ifndef MODULE_TIMERS_H
#define MODULE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gw/timer.h>

#include "base/list.h"
#include "net/fibers.h"
#include "net/loop.h"

struct timers {
    struct loop *loop;
    struct fibers *fibers;
    struct gw *gw;
    struct list all; /* struct gw_timer */
    size_t n;
    bool is_stopped;
};

void timers_init(struct timers *t, struct loop *l, struct fibers *f, struct gw *gw);
struct gw_timer *timers_start(struct timers *t, uint64_t delay_ms, bool is_repeating,
                              void (*fn)(struct gw *gw, void *arg), void *arg);
void timers_stop(struct timers *owner, struct gw_timer *t);
/* None fires any more; those that run end by themselves. */
void timers_stop_all(struct timers *t);

#endif
