/* hiredis on our loop: its descriptor is a watch. */
#ifndef STORE_REDIS_LOOP_H
#define STORE_REDIS_LOOP_H

#include <hiredis/async.h>

#include "net/loop.h"

struct redis_loop {
    struct loop *loop;
    struct watch watch;
    redisAsyncContext *context; /* NULL: none, or it has ended */
};

/* Watches the context until hiredis ends it. 0 or -errno: then the context is the caller's. */
int redis_loop_attach(struct redis_loop *l, redisAsyncContext *context);

#endif
