/* Keeps SIGPIPE from a thread: it is one for the thread that writes, so blocking it here takes none
 * from the program's others (signal(7), pthread_sigmask(3)). */
#include "client/sigpipe.h"

#include <time.h>

static bool is_pending(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static void only_sigpipe(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

void sigpipe_hold(struct sigpipe *s)
{
    sigset_t set;

    only_sigpipe(&set);
    s->was_pending = is_pending();
    pthread_sigmask(SIG_BLOCK, &set, &s->before);
}

void sigpipe_drop(struct sigpipe *s)
{
    static const struct timespec at_once = {0};
    sigset_t set;

    only_sigpipe(&set);
    if (!s->was_pending && is_pending())
        sigtimedwait(&set, NULL, &at_once);
    pthread_sigmask(SIG_SETMASK, &s->before, NULL);
}
