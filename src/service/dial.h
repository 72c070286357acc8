/* Connections that a module dials, with callbacks or read by the coroutine that wants to know. */
#ifndef SERVICE_DIAL_H
#define SERVICE_DIAL_H

struct dial;
struct gw_conn;

void dial_opened(struct gw_conn *h);   /* messages can be sent */
void dial_received(struct gw_conn *h); /* a message waits for gw_conn_read() */
void dial_ended(struct gw_conn *h);    /* of one without events */
void dial_forget(struct gw_conn *h);   /* the module has closed one without events */
void dial_free(struct dial *d);        /* NULL is fine */

#endif
