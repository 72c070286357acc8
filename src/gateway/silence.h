/* Notices links of ours that have gone silent: a worker that is stuck or cut off. */
#ifndef GATEWAY_SILENCE_H
#define GATEWAY_SILENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/loop.h"

struct gateway;
struct peer;

struct silence {
    struct timer look;
};

void silence_start(struct gateway *g);
void silence_stop(struct gateway *g); /* twice is fine */
/* It sent something: what waits for it leaves. */
void silence_broken(struct peer *p);
/* Says nothing for longer than a healthy peer can: it had better not get new work. Sooner than it
 * is called silent, as this costs nobody anything if it was wrong. */
bool silence_is_likely(const struct peer *p);
/* Links that are silent now. */
size_t silence_count(const struct gateway *g);

#endif
