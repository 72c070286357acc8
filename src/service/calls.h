/* The Gateway API, timers and stores inside a service. */
#ifndef SERVICE_CALLS_H
#define SERVICE_CALLS_H

#include "client/io.h"

extern const struct gw_io service_io; /* its struct gw is the one in struct service */

#endif
