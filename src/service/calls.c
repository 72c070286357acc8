/* What only a service has; the rest is mesh/mesh.c. */
#include "service/calls.h"

#include "base/log.h"
#include "service/self.h"

static struct service *self(const struct gw *gw)
{
    return (struct service *)(uintptr_t)((uintptr_t)gw - offsetof(struct service, mesh.gw));
}

struct service *service_of(struct gw *gw)
{
    static struct log_rate rate;

    if (gw && gw->io == &service_io)
        return self(gw);
    log_limited(&rate, LOG_ERROR, "a call of <gw/service.h> outside a service");
    return NULL;
}

static struct gw_timer *start_timer(struct gw *gw, uint64_t delay_ms, bool is_repeating,
                                    void (*fn)(struct gw *gw, void *arg), void *arg)
{
    return timers_start(&self(gw)->timers, delay_ms, is_repeating, fn, arg);
}

static void stop_timer(struct gw *gw, struct gw_timer *t)
{
    timers_stop(&self(gw)->timers, t);
}

static struct gw_store *open_store(struct gw *gw, const char *url)
{
    return stores_open(&self(gw)->stores, url);
}

static int worker_id(const struct gw *gw)
{
    return self(gw)->env->slot;
}

static const char *worker_name(const struct gw *gw)
{
    return service_name_of(self(gw)->env->section);
}

static const char *option(const struct gw *gw, const char *name)
{
    return module_option(&self(gw)->conf->module, name);
}

const struct gw_io service_io = {
    .gateways = mesh_gateways,
    .send = mesh_send,
    .publish = mesh_publish,
    .settle = mesh_settle,
    .ask = mesh_ask,
    .is_ours = mesh_is_ours,
    .may_have = mesh_may_have,
    .sleep = mesh_sleep,
    .breathe = mesh_breathe,
    .wait = mesh_wait,
    .wake = mesh_wake,
    .log = mesh_log,
    .timer_start = start_timer,
    .timer_stop = stop_timer,
    .worker_id = worker_id,
    .worker_name = worker_name,
    .option = option,
    .store_open = open_store,
};
