/* Condition variables that are waited for up to a time, which setting the clock does not move. */
#ifndef CLUSTER_COND_H
#define CLUSTER_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/compiler.h"

/* pthread_cond_destroy() ends it. */
void cond_init(pthread_cond_t *c);

/* That long from now, for cond_wait_until(). */
struct timespec cond_deadline(int64_t ms) NODISCARD;

/* The lock is held, others may take it meanwhile. false: the deadline has passed; true: somebody
 * signalled, or nobody did, so the caller looks at what it waits for. */
bool cond_wait_until(pthread_cond_t *c, pthread_mutex_t *lock,
                     const struct timespec *deadline) NODISCARD;

#endif
