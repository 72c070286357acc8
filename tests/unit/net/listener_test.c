/* Listeners: accepting, pausing, stopping inside the callback, running out of descriptors. */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/sock.h"

enum { ACCEPTED_MAX = 700 };

static struct loop *loop;
static struct listener *listener;
static struct addr at;
static int listen_fd;
static int accepted[ACCEPTED_MAX];
static int accepted_n;
static int stop_after_n;
static int in_vain_n;

/* The C library's, with a look at what comes of it. */
int accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
    long rc = syscall(SYS_accept4, fd, sa, len, flags);
    in_vain_n += rc < 0;
    return (int)rc;
}

static void on_accept(void *owner, int fd, const struct addr *peer)
{
    assert_ptr_equal(owner, &accepted_n);
    assert_true(addr_is_loopback(peer));
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_in_range(accepted_n, 0, ACCEPTED_MAX - 1);
    accepted[accepted_n++] = fd;
    if (accepted_n == stop_after_n)
        listener_stop(listener);
}

static int setup(void **state)
{
    accepted_n = 0;
    stop_after_n = -1;
    in_vain_n = 0;
    loop = loop_new();
    if (addr_parse("127.0.0.1:0", &at) < 0)
        return -1;
    listen_fd = sock_listen(&at, true, 1024);
    if (listen_fd < 0 || sock_local(listen_fd, &at) < 0)
        return -1;
    listener = listener_start(loop, listen_fd, on_accept, &accepted_n);
    return listener ? 0 : -1;
}

static int teardown(void **state)
{
    if (stop_after_n < 0)
        listener_stop(listener);
    loop_free(loop);
    close(listen_fd);
    for (int i = 0; i < accepted_n; i++)
        close(accepted[i]);
    return 0;
}

static int dial(void)
{
    int fd = sock_connect(&at);
    assert_true(fd >= 0);
    return fd;
}

static void turn_until_accepted(int n)
{
    for (int turns_n = 0; accepted_n < n; turns_n++) {
        assert_in_range(turns_n, 0, 1000);
        assert_int_equal(loop_turn(loop, 10), 0);
    }
}

static void accepts_all_who_wait(void **state)
{
    enum { N = 600, FILES_N = 2 * N + 50 }; /* more than one portion, both ends of each */
    static int fds[N];
    unsigned long files_n = 0;
    assert_int_equal(sock_raise_files(FILES_N, &files_n), 0);
    if (files_n < FILES_N)
        skip();
    for (int i = 0; i < N; i++)
        fds[i] = dial();
    turn_until_accepted(N);
    assert_int_equal(accepted_n, N);
    for (int i = 0; i < N; i++)
        close(fds[i]);
}

static void accepts_nobody_in_vain(void **state)
{
    enum { N = 3 };
    int fds[N];
    for (int i = 0; i < N; i++)
        fds[i] = dial();
    turn_until_accepted(N);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(in_vain_n, 0);
    for (int i = 0; i < N; i++)
        close(fds[i]);
}

static void a_pause_leaves_them_waiting(void **state)
{
    listener_pause(listener);
    int fd = dial();
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(accepted_n, 0);
    listener_resume(listener);
    turn_until_accepted(1);
    close(fd);
}

/* Of ten at 50 a second five come at once, the others one by one, and none is lost. */
static void a_pace_lets_them_wait(void **state)
{
    enum { N = 10 };
    struct listener_pace pace = listener_pace_of(50, "test_key");
    int fds[N];
    listener_keep_pace(listener, &pace);
    for (int i = 0; i < N; i++)
        fds[i] = dial();
    assert_int_equal(loop_turn(loop, 0), 0);
    uint64_t began_ms = loop_now_ms(loop);
    assert_int_equal(accepted_n, 5);
    assert_int_equal(pace.waits_n, 1);
    turn_until_accepted(N);
    assert_true(loop_now_ms(loop) - began_ms >= 5 * 20 - 1);
    for (int i = 0; i < N; i++)
        close(fds[i]);
}

/* Two listeners with one pace have one bucket, and a pace of nothing is none. */
static void listeners_share_a_pace(void **state)
{
    struct listener_pace pace = listener_pace_of(10, "test_key"), none = listener_pace_of(0, "");
    listener_keep_pace(listener, &pace);
    assert_true(rate_take(&pace.rate, &pace.full_at, loop_now_ms(loop))); /* by the other one */
    int fd = dial(), second = dial();
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(accepted_n, 0);
    listener_keep_pace(listener, &none);
    turn_until_accepted(2);
    assert_int_equal(none.waits_n, 0);
    close(fd);
    close(second);
}

static void may_be_stopped_by_its_own_callback(void **state)
{
    int fds[3];
    stop_after_n = 2;
    for (int i = 0; i < 3; i++)
        fds[i] = dial();
    turn_until_accepted(2);
    assert_int_equal(loop_turn(loop, 0), 0);
    assert_int_equal(accepted_n, 2);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}

/* Blocks until the other side closes; false if bytes come. */
static bool is_closed_by_peer(int fd)
{
    char byte;
    fcntl(fd, F_SETFL, 0);
    return read(fd, &byte, 1) == 0;
}

/* All descriptors are taken: one client is told so, the loop rests, and goes on when there is room.
 */
static void run_out_of_descriptors(void)
{
    int first = dial();
    int second = dial();
    struct rlimit limit = {.rlim_cur = (rlim_t)second + 1, .rlim_max = (rlim_t)second + 1};
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        _exit(2);
    assert_int_equal(loop_turn(loop, 1000), 0);
    if (accepted_n != 0)
        _exit(3);
    if (!is_closed_by_peer(first))
        _exit(4);
    struct loop_stats before, after;
    loop_stats(loop, &before);
    assert_int_equal(loop_turn(loop, 0), 0);
    loop_stats(loop, &after);
    if (after.events_n != before.events_n) /* it would spin */
        _exit(5);
    close(first);
    turn_until_accepted(1);
    close(second);
    _exit(0);
}

static void running_out_of_descriptors_turns_one_away(void **state)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        /* The inherited epoll set is the parent's: this child needs its own. */
        loop_abandon(loop);
        loop = loop_new();
        listener = listener_start(loop, listen_fd, on_accept, &accepted_n);
        run_out_of_descriptors();
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accepts_all_who_wait),
        TEST(accepts_nobody_in_vain),
        TEST(a_pause_leaves_them_waiting),
        TEST(a_pace_lets_them_wait),
        TEST(listeners_share_a_pace),
        TEST(may_be_stopped_by_its_own_callback),
        TEST(running_out_of_descriptors_turns_one_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
