/* Sockets: sharing an address, unix sockets that were left behind, queues, limits. */
#include "net/sock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/tmpdir.h"

static struct addr any_port(const char *text)
{
    struct addr a;
    assert_int_equal(addr_parse(text, &a), 0);
    return a;
}

static int option(int fd, int level, int name)
{
    int value = 0;
    socklen_t len = sizeof value;
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static void several_may_listen_when_shared(void **state)
{
    struct addr at = any_port("127.0.0.1:0");
    int first = sock_listen(&at, true, 8);
    assert_true(first >= 0);
    assert_int_equal(sock_local(first, &at), 0);
    int second = sock_listen(&at, true, 8);
    assert_true(second >= 0);
    assert_int_equal(sock_listen(&at, false, 8), -EADDRINUSE);
    close(first);
    close(second);
}

static void accepted_sockets_are_tuned(void **state)
{
    struct addr at = any_port("127.0.0.1:0");
    struct addr peer;
    int listen_fd = sock_listen(&at, false, 8);
    assert_int_equal(sock_local(listen_fd, &at), 0);
    int fd = sock_connect(&at);
    assert_true(fd >= 0);
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&writable, 1, 5000), 1);
    assert_int_equal(sock_error(fd), 0);
    int accepted = accept(listen_fd, NULL, NULL);
    assert_true(accepted >= 0);
    assert_int_equal(option(accepted, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option(accepted, SOL_SOCKET, SO_KEEPALIVE), 1);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(sock_peer(fd, &peer), 0);
    assert_int_equal(peer.port, at.port);
    int unread, unsent;
    assert_int_equal(write(accepted, "abc", 3), 3);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&readable, 1, 5000), 1);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 60000);
    assert_int_equal(sock_queue(fd, &unread, &unsent), 0);
    assert_int_equal(unread, 3);
    assert_int_equal(unsent, 0);
    close(fd);
    close(accepted);
    close(listen_fd);
}

static void links_inherit_their_limits(void **state)
{
    enum { RTO_MAX_MS = 44 /* TCP_RTO_MAX_MS, since Linux 6.15 */ };
    struct addr at = any_port("127.0.0.1:0");
    int listen_fd = sock_listen(&at, false, 8);
    sock_tune_link(listen_fd);
    sock_watch_peer(listen_fd);
    assert_int_equal(sock_local(listen_fd, &at), 0);
    int fd = sock_connect(&at);
    struct pollfd acceptable = {.fd = listen_fd, .events = POLLIN};
    assert_int_equal(poll(&acceptable, 1, 5000), 1);
    int accepted = accept(listen_fd, NULL, NULL);
    assert_true(accepted >= 0);
    assert_int_equal(option(accepted, IPPROTO_TCP, TCP_USER_TIMEOUT), 8000);
    assert_int_equal(option(accepted, IPPROTO_TCP, TCP_KEEPIDLE), 3);
    assert_int_equal(option(accepted, IPPROTO_TCP, TCP_KEEPINTVL), 1);
    int rto_max_ms;
    socklen_t len = sizeof rto_max_ms;
    if (getsockopt(fd, IPPROTO_TCP, RTO_MAX_MS, &rto_max_ms, &len) == 0) {
        assert_int_equal(rto_max_ms, 1000);
        assert_int_equal(option(accepted, IPPROTO_TCP, RTO_MAX_MS), 1000);
    }
    close(fd);
    close(accepted);
    close(listen_fd);
}

/* Without the limit the kernel takes megabytes on loopback for a peer that does not read. */
static void the_kernel_takes_little_for_a_peer_that_does_not_read(void **state)
{
    static const char zeros[4096];
    struct addr at = any_port("127.0.0.1:0");
    int listen_fd = sock_listen(&at, false, 8);
    sock_limit_unsent(listen_fd);
    assert_int_equal(sock_local(listen_fd, &at), 0);
    int fd = sock_connect(&at);
    struct pollfd acceptable = {.fd = listen_fd, .events = POLLIN};
    assert_int_equal(poll(&acceptable, 1, 5000), 1);
    int accepted = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK);
    assert_true(accepted >= 0);
    int taken = 0;
    for (ssize_t n; (n = write(accepted, zeros, sizeof zeros)) > 0;)
        taken += (int)n;
    assert_int_equal(errno, EAGAIN);
    int unread, unsent;
    assert_int_equal(sock_queue(fd, &unread, &unsent), 0);
    assert_in_range(taken - unread, 0, 256 * 1024); /* what waits on the sender's side */
    close(fd);
    close(accepted);
    close(listen_fd);
}

static int accepted_of(int listen_fd, const struct addr *at, int *fd)
{
    *fd = sock_connect(at);
    struct pollfd acceptable = {.fd = listen_fd, .events = POLLIN};
    assert_int_equal(poll(&acceptable, 1, 5000), 1);
    assert_true(sock_is_awaited(listen_fd));
    return accept(listen_fd, NULL, NULL);
}

/* What comes after listening again is whole: nothing of the end of the first time is left. */
static void a_listener_may_stop_and_listen_again(void **state)
{
    struct addr at = any_port("127.0.0.1:0");
    int keeper = sock_listen(&at, true, 8);
    assert_int_equal(sock_local(keeper, &at), 0);
    int listen_fd = sock_listen(&at, true, 8); /* with a port that was asked for */
    close(keeper);
    (void)!sock_shun(listen_fd); /* which may take more rights than a test has */
    assert_false(sock_is_awaited(listen_fd));
    sock_unlisten(listen_fd);
    sock_unlisten(listen_fd);
    int fd = sock_connect(&at);
    if (fd >= 0) {
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        assert_int_equal(poll(&writable, 1, 5000), 1);
        assert_int_equal(sock_error(fd), -ECONNREFUSED);
        close(fd);
    }
    assert_int_equal(sock_listen_again(listen_fd), 0);
    int accepted = accepted_of(listen_fd, &at, &fd);
    assert_true(accepted >= 0);
    char byte;
    assert_int_equal(recv(accepted, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_int_equal(read(accepted, &byte, 1), 1);
    close(accepted);
    close(fd);
    close(listen_fd);
}

static void a_refused_connect_shows_in_the_error(void **state)
{
    struct addr at = any_port("127.0.0.1:0");
    int listen_fd = sock_listen(&at, false, 8);
    assert_int_equal(sock_local(listen_fd, &at), 0);
    close(listen_fd);
    int fd = sock_connect(&at);
    if (fd < 0) {
        assert_int_equal(fd, -ECONNREFUSED);
        return;
    }
    struct pollfd writable = {.fd = fd, .events = POLLOUT};
    assert_int_equal(poll(&writable, 1, 5000), 1);
    assert_int_equal(sock_error(fd), -ECONNREFUSED);
    close(fd);
}

static void a_dead_unix_socket_is_replaced_and_a_live_one_is_not(void **state)
{
    struct tmpdir dir = tmpdir_make();
    const char *path = tmpdir_path(&dir, "control.sock");
    struct stat st;
    int first = sock_listen_unix(path, 0600);
    assert_true(first >= 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(sock_listen_unix(path, 0600), -EADDRINUSE);
    int client = sock_connect_unix(path);
    assert_true(client >= 0);
    close(client);
    close(first); /* the file stays, as after a kill */
    assert_int_equal(sock_connect_unix(path), -ECONNREFUSED);
    int second = sock_listen_unix(path, 0660);
    assert_true(second >= 0);
    close(second);
    unlink(path);
    tmpdir_write(&dir, "file", "precious");
    assert_int_equal(sock_listen_unix(tmpdir_path(&dir, "file"), 0600), -EADDRINUSE);
    assert_int_equal(sock_connect_unix(tmpdir_path(&dir, "absent")), -ENOENT);
    tmpdir_remove(&dir);
}

static void long_unix_paths_are_refused(void **state)
{
    char path[200];
    for (size_t i = 0; i < sizeof path; i++)
        path[i] = 'a';
    path[sizeof path - 1] = '\0';
    assert_int_equal(sock_listen_unix(path, 0600), -ENAMETOOLONG);
    assert_int_equal(sock_connect_unix(path), -ENAMETOOLONG);
    assert_int_equal(sock_connect_unix(""), -ENAMETOOLONG);
}

static void the_limit_of_files_is_raised_as_far_as_allowed(void **state)
{
    pid_t pid = fork();
    if (pid == 0) {
        unsigned long got = 0;
        if (sock_raise_files(64, &got) < 0 || got < 64)
            _exit(1);
        unsigned long more = 0;
        if (sock_raise_files(got + 1, &more) < 0 || more < got)
            _exit(2);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void the_kernels_backlog_is_told(void **state)
{
    if (access("/proc/sys/net/core/somaxconn", R_OK) < 0)
        skip();
    assert_in_range(sock_backlog_max(), 1, INT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_may_listen_when_shared),
        cmocka_unit_test(accepted_sockets_are_tuned),
        cmocka_unit_test(links_inherit_their_limits),
        cmocka_unit_test(the_kernel_takes_little_for_a_peer_that_does_not_read),
        cmocka_unit_test(a_listener_may_stop_and_listen_again),
        cmocka_unit_test(a_refused_connect_shows_in_the_error),
        cmocka_unit_test(a_dead_unix_socket_is_replaced_and_a_live_one_is_not),
        cmocka_unit_test(long_unix_paths_are_refused),
        cmocka_unit_test(the_limit_of_files_is_raised_as_far_as_allowed),
        cmocka_unit_test(the_kernels_backlog_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
