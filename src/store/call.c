/* Going on in a later turn keeps business code off the stacks of hiredis and of the answer loops.
 */
#include "store/call.h"

#include <gw/err.h>

static void on_late(struct timer *t)
{
    call_end(CONTAINER_OF(t, struct store_call, deadline), GW_ETIMEOUT);
}

static void wake(struct task *t)
{
    struct store_call *c = CONTAINER_OF(t, struct store_call, wake);

    fibers_resume(c->host.fibers, c->co);
}

void call_init(struct store_call *c, struct store_host host)
{
    *c = (struct store_call){.host = host, .deadline = {.fire = on_late}, .wake = {.run = wake}};
}

int call_wait(struct store_call *c, uint64_t ms)
{
    c->co = fibers_self(c->host.fibers);
    timer_start(c->host.loop, &c->deadline, ms);
    fibers_wait(c->host.fibers);
    return c->rc;
}

void call_end(struct store_call *c, int rc)
{
    if (c->has_ended)
        return;
    c->has_ended = true;
    c->rc = rc;
    timer_stop(c->host.loop, &c->deadline);
    loop_soon(c->host.loop, &c->wake);
}
