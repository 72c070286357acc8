/* Signals arrive as loop events, in order, and stop being ours. */
#include "net/sig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static int seen[8];
static int seen_n;
static struct sig *to_stop;

static void on_signal(void *owner, int signal_number)
{
    assert_ptr_equal(owner, &seen_n);
    assert_in_range(seen_n, 0, 7);
    seen[seen_n++] = signal_number;
    sig_stop(to_stop);
}

static int setup(void **state)
{
    loop = loop_new();
    seen_n = 0;
    to_stop = NULL;
    return 0;
}

static int teardown(void **state)
{
    loop_free(loop);
    return 0;
}

static const int two_signals[] = {SIGUSR1, SIGUSR2, 0};

static void signals_are_told_from_the_loop(void **state)
{
    struct sig *s = sig_start(loop, two_signals, on_signal, &seen_n);
    assert_non_null(s);
    raise(SIGUSR2);
    raise(SIGUSR1);
    raise(SIGPIPE); /* ignored */
    assert_int_equal(seen_n, 0);
    assert_int_equal(loop_turn(loop, 1000), 0);
    assert_int_equal(seen_n, 2);
    assert_int_equal(seen[0], SIGUSR2);
    assert_int_equal(seen[1], SIGUSR1);
    sig_stop(s);
}

static void stopping_inside_the_callback_ends_it(void **state)
{
    to_stop = sig_start(loop, two_signals, on_signal, &seen_n);
    assert_non_null(to_stop);
    raise(SIGUSR1);
    raise(SIGUSR1);
    assert_int_equal(loop_turn(loop, 1000), 0);
    assert_int_equal(seen_n, 1);
    struct sigaction action;
    assert_int_equal(sigaction(SIGUSR1, NULL, &action), 0);
    assert_true(action.sa_handler == SIG_DFL);
}

/* A child abandons what it inherited and starts its own; the parent hears nothing of its signals.
 */
static void a_child_gets_its_own(void **state)
{
    struct sig *s = sig_start(loop, two_signals, on_signal, &seen_n);
    assert_non_null(s);
    pid_t pid = fork();
    if (pid == 0) {
        loop_abandon(loop);
        sig_abandon(s);
        sig_stop(s); /* changes nothing any more */
        loop_free(loop);
        loop = loop_new();
        s = sig_start(loop, two_signals, on_signal, &seen_n);
        raise(SIGUSR1);
        if (loop_turn(loop, 1000) < 0 || seen_n != 1)
            _exit(1);
        sig_stop(s);
        raise(SIGUSR1); /* default action */
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGUSR1);
    raise(SIGUSR2);
    assert_int_equal(loop_turn(loop, 1000), 0);
    assert_int_equal(seen_n, 1);
    assert_int_equal(seen[0], SIGUSR2);
    sig_stop(s);
}

/* proc/sandbox.c: a refused call of a thread that blocks SIGSYS would kill the process. */
static void threads_are_left_to_themselves(void **state)
{
    sigset_t mask;
    sig_mask_of_threads(&mask);
    assert_true(sigismember(&mask, SIGTERM));
    assert_true(sigismember(&mask, SIGCHLD));
    assert_false(sigismember(&mask, SIGSYS));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(signals_are_told_from_the_loop),
        TEST(stopping_inside_the_callback_ends_it),
        TEST(a_child_gets_its_own),
        cmocka_unit_test(threads_are_left_to_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
