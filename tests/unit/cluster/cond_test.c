/* Waits with a deadline while the clock of the day is set back. */
#include "cluster/cond.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 20, HOUR_S = 3600, TEST_MAX_S = 60 };

/* In place of libc's. The hour that the clock of the day is ahead is one that the kernel, which
 * measures the wait, knows nothing of: as if the clock were set back once the deadline is known. */
int clock_gettime(clockid_t id, struct timespec *out)
{
    long rc = syscall(SYS_clock_gettime, id, out);

    if (id == CLOCK_REALTIME)
        out->tv_sec += HOUR_S;
    return (int)rc;
}

struct waited {
    pthread_mutex_t lock;
    pthread_cond_t c;
};

/* The lock is free once the other waits. */
static void *signal_once(void *arg)
{
    struct waited *w = arg;

    pthread_mutex_lock(&w->lock);
    pthread_cond_signal(&w->c);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void clock_set_back_makes_no_wait_longer(void **state)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t c;
    struct timespec before, after;

    alarm(TEST_MAX_S);
    cond_init(&c);
    clock_gettime(CLOCK_MONOTONIC, &before);
    struct timespec deadline = cond_deadline(WAIT_MS);
    pthread_mutex_lock(&lock);
    while (cond_wait_until(&c, &lock, &deadline))
        ;
    pthread_mutex_unlock(&lock);
    clock_gettime(CLOCK_MONOTONIC, &after);
    int64_t took_ms =
        (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    assert_true(took_ms >= WAIT_MS);
    alarm(0);
    pthread_cond_destroy(&c);
}

static void signal_ends_the_wait(void **state)
{
    struct waited w = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;
    struct timespec deadline = cond_deadline(HOUR_S * 1000);

    alarm(TEST_MAX_S);
    cond_init(&w.c);
    pthread_mutex_lock(&w.lock);
    assert_int_equal(pthread_create(&thread, NULL, signal_once, &w), 0);
    assert_true(cond_wait_until(&w.c, &w.lock, &deadline));
    pthread_mutex_unlock(&w.lock);
    pthread_join(thread, NULL);
    alarm(0);
    pthread_cond_destroy(&w.c);
}

static void deadline_counts_whole_seconds(void **state)
{
    for (int ms = 0; ms < 3000; ms += 100) {
        struct timespec from = cond_deadline(0);
        struct timespec to = cond_deadline(ms);
        assert_in_range(to.tv_nsec, 0, 999999999);
        assert_true((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000 >= ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_set_back_makes_no_wait_longer),
        cmocka_unit_test(signal_ends_the_wait),
        cmocka_unit_test(deadline_counts_whole_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
