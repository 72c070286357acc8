/* One HTTP connection of a service: requests in, one after the other, and deadlines for each wait.
 */
#ifndef SERVICE_HTTP_LINE_H
#define SERVICE_HTTP_LINE_H

#include "base/compiler.h"
#include "service/handle.h"

/* Attaches the accepted descriptor (taken, as is transport_state) to the handle. 0 or -errno. */
int http_line_open(struct gw_conn *h, int fd, const struct transport *transport,
                   void *transport_state) NODISCARD;

/* The callback of the request has returned: what it left open is ended. */
void http_line_answered(struct gw_conn *h);
/* The answer to the request in hand is a stream of events from now on. */
void http_line_stream(struct gw_conn *h);
bool http_line_is_stream(const struct gw_conn *h);
/* No request is in hand, or none will be: closes now, or after the answer. */
void http_line_leave(struct gw_conn *h);
bool http_line_is_leaving(const struct gw_conn *h);

#endif
