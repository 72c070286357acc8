/* Keeps one outbound channel alive: dials, and dials again after a delay when it ends. */
#ifndef CHAN_REDIAL_H
#define CHAN_REDIAL_H

#include <stdint.h>

#include "base/compiler.h"
#include "chan/chan.h"

struct redial;

/* `address` ("host:port", names resolved at every attempt) is copied. kind's events get `owner`;
 * on_open means up, on_close means down (also after a failed attempt); the next attempt starts
 * retry_ms later, for ever (the original: 1,000). */
struct redial *redial_start(struct conn_pool *p, const char *address, const struct chan_kind *kind,
                            uint64_t retry_ms, void *owner) NODISCARD;
void redial_stop(struct redial *r);           /* closes the channel (flushing), tries no more, frees */
struct chan *redial_chan(const struct redial *r); /* NULL while down */
const char *redial_address(const struct redial *r);

#endif
