/* gw_store_open(): the stores belong to the process that runs the module. */
#include <gw/store.h>

#include "base/log.h"
#include "client/io.h"

struct gw_store *gw_store_open(struct gw *gw, const char *url)
{
    if (gw->io->store_open)
        return gw->io->store_open(gw, url);
    log_error("gw_store_open() works in workers and services only");
    return NULL;
}
