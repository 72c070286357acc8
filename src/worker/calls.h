/* The Gateway API inside a worker: the io table over its open links. */
#ifndef WORKER_CALLS_H
#define WORKER_CALLS_H

#include "client/io.h"

extern const struct gw_io worker_io; /* its struct gw is the one in struct worker */

#endif
