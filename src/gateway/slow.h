/* Clients that take less than is sent to them: what becomes of the messages, and who is told. */
#ifndef GATEWAY_SLOW_H
#define GATEWAY_SLOW_H

#include <stdbool.h>
#include <stdint.h>

struct client;
struct gateway;

/* A message of len bytes found no room in the client's output: its worker is told on_buffer_full,
 * once, and on_buffer_drain when all of it is out; then what on_full says is done, counted and
 * logged. true: the oldest messages were dropped and the new one should be tried again; else it is
 * lost, and the client may be closing. */
bool slow_makes_room(struct gateway *g, struct client *c, uint64_t len);
/* After something was queued: the worker is told the same when the output is full now. */
void slow_look(struct gateway *g, struct client *c);
void slow_on_drain(struct gateway *g, struct client *c);
void slow_forget(struct gateway *g, struct client *c); /* it leaves */

#endif
