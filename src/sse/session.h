/* A fallback client: to the gateway a WebSocket client, to the browser a stream and POSTs. */
#ifndef SSE_SESSION_H
#define SSE_SESSION_H

#include <stdbool.h>

#include "base/span.h"
#include "proto/http.h"

struct guest;
struct lobby;
struct session;

/* "session" of "?session=…&n=1", as sent; empty when absent. */
struct span session_param(const struct http_request *r, const char *name);
/* The slot that an id names; false when it is no id. */
bool session_slot(struct span id, unsigned *slot);

/* GET …/sse without a session: makes one; its answer follows the handshake behind it. */
void session_begin(struct guest *g, const struct http_request *r);
/* GET …/sse with one: events go on behind the last that arrived. */
void session_resume(struct session *s, struct guest *g, const struct http_request *r);
/* POST …/send */
void session_post(struct session *s, struct guest *g, const struct http_request *r,
                  struct span body);

bool session_awaits(const struct guest *g); /* its answer follows a handshake */
void session_drained(struct session *s);    /* the stream took what was queued */
void session_lost(struct guest *g);         /* the connection has ended */

#endif
