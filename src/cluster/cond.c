/* Condition variables on CLOCK_MONOTONIC. The clock is an attribute of the condition and not an
 * argument of the wait, because ThreadSanitizer then sees an ordinary pthread_cond_timedwait(). */
#include "cluster/cond.h"

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

/* None of the three can fail with a clock that Linux has. */
void cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

struct timespec cond_deadline(int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * NS_PER_MS;
    if (until.tv_nsec >= NS_PER_S) {
        until.tv_nsec -= NS_PER_S;
        until.tv_sec++;
    }
    return until;
}

bool cond_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, const struct timespec *deadline)
{
    return pthread_cond_timedwait(c, lock, deadline) == 0;
}
