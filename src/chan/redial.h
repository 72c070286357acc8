/* Keeps one outbound channel alive: dials, and dials again after a delay when it ends. */
#ifndef CHAN_REDIAL_H
#define CHAN_REDIAL_H

#include <stdint.h>

#include "base/compiler.h"
#include "chan/chan.h"

struct peer_tls;
struct redial;

/* `address` ("host:port", names resolved at every attempt) is copied. kind's events get `owner`;
 * on_open means up, on_close means down (also after a failed attempt; its chan is NULL if the
 * attempt did not come as far as a channel); the next attempt starts retry_ms later, for ever (the
 * original: 1,000). The first attempt starts at once. Callbacks never come from inside this call.
 * tls: outlives it, and may be opened anew meanwhile; NULL: plain. */
struct redial *redial_start(struct conn_pool *p, const char *address, const struct chan_kind *kind,
                            const struct peer_tls *tls, uint64_t retry_ms, void *owner) NODISCARD;
/* Closes the channel (flushing), tries no more, frees; NULL is fine. If there is a channel or one
 * is being dialled, its on_close still comes. */
void redial_stop(struct redial *r);
struct chan *redial_chan(const struct redial *r); /* NULL while down */
const char *redial_address(const struct redial *r);

#endif
