/* The groups or uids that a command is about: gateways without a member of any need not get it. */
#include "client/reach.h"

#include "client/io.h"

bool reach_may_be_at(struct gw *gw, const struct reach *reach, struct gateway_at at)
{
    if (!reach || !gw->io->may_have)
        return true;
    for (size_t i = 0; i < reach->n; i++)
        if (gw->io->may_have(gw, at, reach->kind,
                             span_of(reach->names[i].data, reach->names[i].len)))
            return true;
    return false;
}
