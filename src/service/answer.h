/* The answer to an HTTP request: written whole, in chunks, or as a stream of events. */
#ifndef SERVICE_ANSWER_H
#define SERVICE_ANSWER_H

struct gw_http;

/* The callback has returned: an answer that is missing becomes a 500, one in pieces is ended. */
void answer_complete(struct gw_http *h);

#endif
