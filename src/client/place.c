/* Calls whose meaning depends on where they are made: time, the log, and the worker itself. */
#include <gw/module.h>
#include <gw/timer.h>
#include <gw/wait.h>

#include "client/io.h"

int gw_sleep(struct gw *gw, uint64_t ms)
{
    return gw->io->sleep(gw, ms);
}

int gw_wait(struct gw *gw, struct gw_waiter *w)
{
    return gw->io->wait ? gw->io->wait(gw, w) : GW_ECONTEXT;
}

void gw_wake(struct gw *gw, struct gw_waiter *w)
{
    if (gw->io->wake)
        gw->io->wake(gw, w);
}

struct gw_timer *gw_timer_start(struct gw *gw, uint64_t delay_ms, bool is_repeating,
                                void (*fn)(struct gw *gw, void *arg), void *arg)
{
    return gw->io->timer_start ? gw->io->timer_start(gw, delay_ms, is_repeating, fn, arg) : NULL;
}

void gw_timer_stop(struct gw *gw, struct gw_timer *t)
{
    if (t && gw->io->timer_stop)
        gw->io->timer_stop(gw, t);
}

int gw_worker_id(const struct gw *gw)
{
    return gw->io->worker_id ? gw->io->worker_id(gw) : -1;
}

const char *gw_worker_name(const struct gw *gw)
{
    return gw->io->worker_name ? gw->io->worker_name(gw) : NULL;
}

const char *gw_option(const struct gw *gw, const char *name)
{
    return gw->io->option ? gw->io->option(gw, name) : NULL;
}

void gw_log(struct gw *gw, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    gw->io->log(gw, false, fmt, args);
    va_end(args);
}

void gw_log_error(struct gw *gw, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    gw->io->log(gw, true, fmt, args);
    va_end(args);
}
