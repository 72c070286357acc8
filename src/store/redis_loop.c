/* hiredis asks for readable and writable events; everything it sends in a turn leaves together. */
#include "store/redis_loop.h"

#include "base/compiler.h"

static void arm(struct redis_loop *l, unsigned events)
{
    if (l->watch.armed != events && l->context)
        watch_change(l->loop, &l->watch, events);
}

static void add_read(void *data)
{
    struct redis_loop *l = data;
    arm(l, l->watch.armed | LOOP_READ);
}

static void stop_read(void *data)
{
    struct redis_loop *l = data;
    arm(l, l->watch.armed & ~(unsigned)LOOP_READ);
}

static void add_write(void *data)
{
    struct redis_loop *l = data;
    arm(l, l->watch.armed | LOOP_WRITE);
}

static void stop_write(void *data)
{
    struct redis_loop *l = data;
    arm(l, l->watch.armed & ~(unsigned)LOOP_WRITE);
}

static void clean_up(void *data)
{
    struct redis_loop *l = data;

    watch_stop(l->loop, &l->watch);
    l->context = NULL;
}

static void on_ready(struct watch *w, unsigned ready)
{
    struct redis_loop *l = CONTAINER_OF(w, struct redis_loop, watch);

    if (ready & LOOP_WRITE)
        redisAsyncHandleWrite(l->context);
    /* Writing may have ended the context; reading is how hiredis notices a hang-up. */
    if (l->context && ready & (LOOP_READ | LOOP_HANGUP))
        redisAsyncHandleRead(l->context);
}

int redis_loop_attach(struct redis_loop *l, redisAsyncContext *context)
{
    l->watch.fd = context->c.fd;
    l->watch.on_ready = on_ready;
    int rc = watch_start(l->loop, &l->watch, 0);

    if (rc < 0)
        return rc;
    l->context = context;
    context->ev.data = l;
    context->ev.addRead = add_read;
    context->ev.delRead = stop_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = stop_write;
    context->ev.cleanup = clean_up;
    return 0;
}
