/* Clients that take less than is sent to them: what becomes of the messages, and who is told. */
#ifndef GATEWAY_SLOW_H
#define GATEWAY_SLOW_H

#include <stdbool.h>

struct client;
struct gateway;

/* A message found the client's output full: does what on_full says, counts and logs it. true: the
 * oldest messages were dropped and the new one should be tried again; else it is lost, and the
 * client may be closing. */
bool slow_makes_room(struct gateway *g, struct client *c);
/* After something was queued: when the output is full now its worker is told on_buffer_full, once,
 * and on_buffer_drain when all of it is out. */
void slow_look(struct gateway *g, struct client *c);
void slow_on_drain(struct gateway *g, struct client *c);
void slow_forget(struct gateway *g, struct client *c); /* it leaves */

#endif
