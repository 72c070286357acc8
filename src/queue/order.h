/* A push order: JSON that names a call of the Gateway API and its arguments. */
#ifndef QUEUE_ORDER_H
#define QUEUE_ORDER_H

#include <gw/types.h>

#include "base/compiler.h"

/* {"call":"sendToGroup","group":["news","sport"],"message":"…","exclude":["7f0000010b5400000001"]}
 * docs/stores.md lists the calls and their members. */

enum { ORDER_REASON_MAX = 160 };

/* Makes the call. 0; GW_EPROTO when the order is wrong, with a sentence in reason that names the
 * member; or what the call returned. May suspend. */
int order_run(struct gw *gw, struct gw_bytes text, char reason[ORDER_REASON_MAX]) NODISCARD;

#endif
