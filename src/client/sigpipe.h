/* Keeps SIGPIPE from a thread while it writes in ways that cannot say MSG_NOSIGNAL. */
#ifndef CLIENT_SIGPIPE_H
#define CLIENT_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct sigpipe {
    sigset_t before;
    bool was_pending;
};

void sigpipe_hold(struct sigpipe *s);
void sigpipe_drop(struct sigpipe *s); /* forgets one that came meanwhile, and allows it again */

#endif
