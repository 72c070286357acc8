/* A connection whose session lives in another process of the section: its bytes go there. */
#ifndef SSE_RELAY_H
#define SSE_RELAY_H

#include <stdbool.h>

#include "base/span.h"

struct guest;
struct lobby;

/* Path of the socket on which that slot takes what is relayed; the caller's to free. */
char *relay_path(const struct lobby *l, unsigned slot);
/* Whether the session's id names another process, which then has the connection: the guest is gone
 * and none of its bytes are used. */
bool relay_take(struct guest *g, struct span session);
void relay_close_all(struct lobby *l);

#endif
